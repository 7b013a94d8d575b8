#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <memory>

#include "core/error.hpp"
#include "core/text.hpp"
#include "network/pickle.hpp"

namespace yolov7::network {
namespace {

using Kind = PickleValue::Kind;

/// Class names that may appear, and the element type of the storages among them.
const std::map<std::string, DataType>& storages() {
  static const std::map<std::string, DataType> table = {
      {"torch HalfStorage", DataType::float16},   {"torch BFloat16Storage", DataType::bfloat16}, {"torch FloatStorage", DataType::float32},
      {"torch DoubleStorage", DataType::float64}, {"torch LongStorage", DataType::int64},        {"torch ByteStorage", DataType::uint8}};
  return table;
}
constexpr const char* rebuild = "torch._utils _rebuild_tensor_v2";
constexpr const char* ordered = "collections OrderedDict";

class Machine {
 public:
  Machine(std::span<const std::byte> bytes, const std::string& source, const PickleLimits& limits) : bytes_(bytes), source_(source), limits_(limits) {
    if (bytes.size() > limits.bytes) fail(fmt::format("a pickle of {} bytes, expected at most {}", bytes.size(), limits.bytes));
  }

  PickleValue run() {
    for (std::size_t count = 0;; ++count) {
      if (count > limits_.operations) fail("too many operations");
      if (step()) break;
    }
    if (stack_.size() != 1) fail("more or less than one value at the end");
    return std::move(stack_.back());
  }

 private:
  [[noreturn]] void fail(const std::string& found) const { throw Error(fmt::format("{}: not a checkpoint of this program: {} (offset {})", source_, found, at_)); }

  std::uint64_t unsigned_number(std::size_t size) {
    if (bytes_.size() - at_ < size) fail("the end in the middle of a number");
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value |= static_cast<std::uint64_t>(bytes_[at_ + i]) << (8 * i);
    at_ += size;
    return value;
  }
  std::string characters(std::uint64_t size) {
    text_bytes_ += size;
    if (size > bytes_.size() - at_ || text_bytes_ > limits_.text_bytes) fail(fmt::format("a text of {} bytes", size));
    std::string out(reinterpret_cast<const char*>(bytes_.data() + at_), size);
    at_ += size;
    return out;
  }
  std::string line() {
    std::string out;
    while (at_ < bytes_.size() && bytes_[at_] != std::byte{'\n'} && out.size() < 200) out += static_cast<char>(bytes_[at_++]);
    if (at_ >= bytes_.size() || bytes_[at_] != std::byte{'\n'}) fail("a name without an end");
    ++at_;
    return out;
  }

  void push(PickleValue value) {
    if (++values_ > limits_.values) fail("too many values");
    stack_.push_back(std::move(value));
  }
  PickleValue pop() {
    if (stack_.empty() || stack_.back().kind == Kind::mark) fail("an operation without its value");
    PickleValue value = std::move(stack_.back());
    stack_.pop_back();
    return value;
  }
  std::vector<PickleValue> pop_to_mark() {
    std::size_t start = stack_.size();
    while (start > 0 && stack_[start - 1].kind != Kind::mark) --start;
    if (start == 0) fail("an operation without its mark");
    std::vector<PickleValue> values(std::make_move_iterator(stack_.begin() + static_cast<std::ptrdiff_t>(start)), std::make_move_iterator(stack_.end()));
    stack_.resize(start - 1);
    --marks_;
    return values;
  }
  void push_kind(Kind kind) {
    PickleValue value;
    value.kind = kind;
    push(std::move(value));
  }
  void push_integer(std::int64_t number) {
    PickleValue value;
    value.kind = Kind::integer;
    value.integer = number;
    push(std::move(value));
  }
  void push_boolean(bool truth) {
    PickleValue value;
    value.kind = Kind::boolean;
    value.integer = truth ? 1 : 0;
    push(std::move(value));
  }
  void push_text(std::uint64_t size) {
    PickleValue value;
    value.kind = Kind::text;
    value.text = characters(size);
    push(std::move(value));
  }
  /// Destroying and walking a tree recurse, so its depth is bounded while it grows.
  void deepen(PickleValue& container, const PickleValue& element) const {
    container.depth = std::max(container.depth, element.depth + 1);
    if (container.depth > limits_.depth) fail("deeper nesting than allowed");
  }
  void push_sequence(std::vector<PickleValue> elements) {
    PickleValue value;
    value.kind = Kind::sequence;
    for (const PickleValue& element : elements) deepen(value, element);
    value.sequence = std::move(elements);
    push(std::move(value));
  }

  void global() {
    PickleValue value;
    value.kind = Kind::global;
    value.text = line();
    value.text += " " + line();
    if (value.text != rebuild && value.text != ordered && storages().count(value.text) == 0)
      fail(fmt::format("the class or function '{}'; nothing of it was executed. Official and foreign pickles are read by a later version", text::printable(value.text)));
    push(std::move(value));
  }

  void memoize(std::uint64_t index) {
    if (stack_.empty() || stack_.back().kind == Kind::mark) fail("a memo of nothing");
    if (index > limits_.values || memo_.size() > 100'000) fail(fmt::format("memo index {}", index));
    // Values are copied, so containers cannot be fetched again: what is added to them later would be missing. Asking for
    // one is an error in recall().
    const PickleValue& top = stack_.back();
    PickleValue kept;
    kept.kind = Kind::mark;
    if (top.kind != Kind::sequence && top.kind != Kind::dictionary) {
      count_text(top.text.size());
      kept = top;
    }
    memo_[index] = std::move(kept);
  }
  void count_text(std::size_t size) {
    text_bytes_ += size;
    if (text_bytes_ > limits_.text_bytes) fail("too much text");
  }
  void recall(std::uint64_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end() || found->second.kind == Kind::mark) fail(fmt::format("memo index {} without a plain value", index));
    count_text(found->second.text.size());
    push(found->second);
  }

  /// Tuple ("storage", storage class, key, location, elements) → storage.
  void persistent() {
    const PickleValue id = pop();
    if (id.kind != Kind::sequence || id.sequence.size() != 5 || id.sequence[0].text != "storage" || id.sequence[1].kind != Kind::global ||
        storages().count(id.sequence[1].text) == 0 || id.sequence[2].kind != Kind::text || id.sequence[4].kind != Kind::integer || id.sequence[4].integer < 0)
      fail("a storage of unknown form");
    PickleValue value;
    value.kind = Kind::storage;
    value.type = storages().at(id.sequence[1].text);
    value.text = id.sequence[2].text;
    value.storage_elements = id.sequence[4].integer;
    push(std::move(value));
  }

  std::vector<std::int64_t> integers(const PickleValue& value) const {
    if (value.kind != Kind::sequence || value.sequence.size() > 16) fail("a shape of unknown form");
    std::vector<std::int64_t> out;
    for (const PickleValue& element : value.sequence) {
      if (element.kind != Kind::integer || element.integer < 0 || element.integer > (std::int64_t{1} << 40)) fail("a shape with a number out of range");
      out.push_back(element.integer);
    }
    return out;
  }

  void reduce() {
    const PickleValue arguments = pop(), function = pop();
    if (function.kind != Kind::global || arguments.kind != Kind::sequence) fail("a call of something else than a known function");
    if (function.text == ordered) {
      if (!arguments.sequence.empty()) fail("an OrderedDict with arguments");
      push_kind(Kind::dictionary);
      return;
    }
    if (function.text != rebuild || arguments.sequence.size() < 4 || arguments.sequence[0].kind != Kind::storage || arguments.sequence[1].kind != Kind::integer)
      fail("a tensor of unknown form");
    PickleValue value = arguments.sequence[0];
    value.kind = Kind::tensor;
    value.offset = arguments.sequence[1].integer;
    value.shape = integers(arguments.sequence[2]);
    value.strides = integers(arguments.sequence[3]);
    if (value.strides.size() != value.shape.size() || value.offset < 0) fail("a tensor whose shape and strides differ");
    push(std::move(value));
  }

  void set_items(std::vector<PickleValue> items) {
    if (stack_.empty() || stack_.back().kind != Kind::dictionary || items.size() % 2 != 0) fail("items without a dictionary");
    for (std::size_t i = 0; i < items.size(); i += 2) {
      if (items[i].kind != Kind::text) fail("a key that is no text");
      deepen(stack_.back(), items[i + 1]);
      stack_.back().dictionary.emplace_back(std::move(items[i].text), std::move(items[i + 1]));
    }
  }
  void append_items(std::vector<PickleValue> items) {
    if (stack_.empty() || stack_.back().kind != Kind::sequence) fail("elements without a list");
    for (PickleValue& item : items) {
      deepen(stack_.back(), item);
      stack_.back().sequence.push_back(std::move(item));
    }
  }

  void long_number() {
    const std::uint64_t size = unsigned_number(1);
    if (size > 8) fail("a number of more than 64 bits");
    std::uint64_t value = unsigned_number(size);
    if (size > 0 && size < 8 && (value >> (8 * size - 1) & 1) != 0) value |= ~std::uint64_t{0} << (8 * size);
    push_integer(static_cast<std::int64_t>(value));
  }
  void real_number() {
    std::uint64_t little = unsigned_number(8), big = 0;
    for (int i = 0; i < 8; ++i) big |= (little >> (8 * i) & 0xFF) << (8 * (7 - i));
    PickleValue value;
    value.kind = Kind::real;
    value.real = std::bit_cast<double>(big);
    push(std::move(value));
  }
  void tuple_of(std::size_t count) {
    std::vector<PickleValue> elements(count);
    for (std::size_t i = count; i-- > 0;) elements[i] = pop();
    push_sequence(std::move(elements));
  }

  bool step() {
    if (at_ >= bytes_.size()) fail("the end of the file instead of the end of the pickle");
    const auto code = static_cast<unsigned char>(bytes_[at_++]);
    switch (code) {
      case 0x80: if (unsigned_number(1) > 5) fail("a newer pickle protocol"); break;
      case 0x95: unsigned_number(8); break;  // frame
      case '.': return true;
      case '(':
        if (++marks_ > limits_.depth) fail("deeper nesting than allowed");
        push_kind(Kind::mark);
        break;
      case '}': push_kind(Kind::dictionary); break;
      case ']': case ')': push_sequence({}); break;
      case 't': case 'l': push_sequence(pop_to_mark()); break;
      case 0x85: tuple_of(1); break;
      case 0x86: tuple_of(2); break;
      case 0x87: tuple_of(3); break;
      case 'u': set_items(pop_to_mark()); break;
      case 's': { PickleValue value = pop(), name = pop(); set_items({std::move(name), std::move(value)}); break; }
      case 'e': append_items(pop_to_mark()); break;
      case 'a': append_items({pop()}); break;
      case 'N': push_kind(Kind::none); break;
      case 0x88: push_boolean(true); break;
      case 0x89: push_boolean(false); break;
      case 'K': push_integer(static_cast<std::int64_t>(unsigned_number(1))); break;
      case 'M': push_integer(static_cast<std::int64_t>(unsigned_number(2))); break;
      case 'J': push_integer(static_cast<std::int32_t>(unsigned_number(4))); break;
      case 0x8a: long_number(); break;
      case 'G': real_number(); break;
      case 'X': push_text(unsigned_number(4)); break;
      case 0x8c: push_text(unsigned_number(1)); break;
      case 0x8d: push_text(unsigned_number(8)); break;
      case 'c': global(); break;
      case 'q': memoize(unsigned_number(1)); break;
      case 'r': memoize(unsigned_number(4)); break;
      case 0x94: memoize(memo_.size()); break;
      case 'h': recall(unsigned_number(1)); break;
      case 'j': recall(unsigned_number(4)); break;
      case 'Q': persistent(); break;
      case 'R': reduce(); break;
      default: --at_; fail(fmt::format("the pickle operation 0x{:02x}, which is not allowed here", code));
    }
    return false;
  }

  std::span<const std::byte> bytes_;
  const std::string& source_;
  const PickleLimits& limits_;
  std::size_t at_ = 0, values_ = 0;
  std::uint64_t text_bytes_ = 0;
  int marks_ = 0;
  std::vector<PickleValue> stack_;
  std::map<std::uint64_t, PickleValue> memo_;
};

}  // namespace

PickleValue::PickleValue() = default;
PickleValue::PickleValue(const PickleValue&) = default;
PickleValue::PickleValue(PickleValue&&) noexcept = default;
PickleValue& PickleValue::operator=(const PickleValue&) = default;
PickleValue& PickleValue::operator=(PickleValue&&) noexcept = default;
PickleValue::~PickleValue() = default;

const PickleValue* PickleValue::find(const std::string& key) const {
  for (const auto& [name, value] : dictionary)
    if (name == key) return &value;
  return nullptr;
}

PickleValue read_pickle(std::span<const std::byte> bytes, const std::string& source, const PickleLimits& limits) {
  return Machine(bytes, source, limits).run();
}

}  // namespace yolov7::network
