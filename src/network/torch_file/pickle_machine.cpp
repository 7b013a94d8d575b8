#include "network/torch_file/pickle_machine.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "core/error.hpp"
#include "core/text.hpp"
#include "network/torch_file/foreign.hpp"

namespace yolov7::network {

PickleMachine::PickleMachine(std::span<const std::byte> bytes, const std::string& source,
                             bool legacy, const PickleLimits& limits)
    : bytes_(bytes),
      source_(source),
      limits_(limits),
      calls_([this](const std::string& reason) { fail(reason); },
             [this](Kind kind) -> PickleValue& { return make(kind); }, legacy, limits),
      none_(make(Kind::none)),
      false_(make(Kind::boolean)),
      true_(make(Kind::boolean)),
      empty_tuple_(make(Kind::tuple)) {
  true_.integer = 1;
}

PickleDocument PickleMachine::run(const std::array<Operation, 256>& operations) {
  header();
  for (std::size_t count = 0;; ++count) {
    if (count > limits_.operations) fail("too many operations");
    if (at_ > limits_.bytes) fail(fmt::format("a pickle of more than {} bytes", limits_.bytes));
    if (step(operations)) break;
  }
  if (stack_.size() != 1 || !marks_.empty()) fail("more or less than one value at the end");
  document_.top = stack_.back();
  document_.bytes_read = at_;
  check_keys();
  return std::move(document_);
}

bool PickleMachine::step(const std::array<Operation, 256>& operations) {
  operation_at_ = at_;
  if (at_ >= bytes_.size()) fail("the end of the file instead of the end of the pickle");
  const auto code = static_cast<unsigned char>(bytes_[at_++]);
  if (code == '.') return true;
  if (operations[code] == nullptr)
    fail(fmt::format("the pickle operation 0x{:02x}, which is not allowed here", code));
  operations[code](*this);
  return false;
}

void PickleMachine::fail(const std::string& found) const {
  throw Error(
      fmt::format("{}: not a checkpoint that can be read safely: {} (offset {} of the pickle)",
                  source_, found, operation_at_));
}

PickleValue& PickleMachine::make(Kind kind) {
  if (document_.values.size() >= limits_.values) fail("too many values");
  document_.values.emplace_back();
  document_.values.back().kind = kind;
  return document_.values.back();
}

void PickleMachine::header() const {
  if (bytes_.empty()) fail("the end of the file instead of a pickle");
  if (bytes_[0] != std::byte{0x80}) fail("a pickle of protocol 0 or 1, or no pickle");
}

void PickleMachine::protocol() {
  const std::uint64_t version = number(1);
  if (version < 2) fail("a pickle of protocol 0 or 1");
  if (version > 5) fail("a newer pickle protocol");
}

std::uint64_t PickleMachine::number(std::size_t size) {
  if (bytes_.size() - at_ < size) fail("the end in the middle of a number");
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i)
    value |= static_cast<std::uint64_t>(bytes_[at_ + i]) << (8 * i);
  at_ += size;
  return value;
}

std::string PickleMachine::characters(std::uint64_t size) {
  if (size > bytes_.size() - at_)
    fail(fmt::format("a text of {} bytes, where {} are left", size, bytes_.size() - at_));
  if (size > limits_.text_bytes - text_bytes_) fail("too much text");
  text_bytes_ += size;
  std::string out(reinterpret_cast<const char*>(bytes_.data() + at_), size);
  at_ += size;
  return out;
}

std::string PickleMachine::line() {
  std::string out;
  while (at_ < bytes_.size() && bytes_[at_] != std::byte{'\n'} && out.size() < 200)
    out += static_cast<char>(bytes_[at_++]);
  if (at_ >= bytes_.size() || bytes_[at_] != std::byte{'\n'}) fail("a name without an end");
  ++at_;
  return out;
}

PickleValue& PickleMachine::top() {
  if (stack_.size() <= floor()) fail("an operation without its value");
  return *stack_.back();
}

PickleValue& PickleMachine::pop() {
  PickleValue& value = top();
  stack_.pop_back();
  return value;
}

std::vector<PickleValue*> PickleMachine::pop_to_mark() {
  if (marks_.empty()) fail("an operation without its mark");
  const auto start = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<PickleValue*> values(start, stack_.end());
  stack_.erase(start, stack_.end());
  marks_.pop_back();
  return values;
}

void PickleMachine::mark() {
  if (marks_.size() > 1000) fail("deeper nesting than allowed");
  marks_.push_back(stack_.size());
}

void PickleMachine::discard() {
  if (stack_.size() == floor() && !marks_.empty())
    marks_.pop_back();
  else
    pop();
}

void PickleMachine::push_integer(std::int64_t value) {
  PickleValue& made = make(Kind::integer);
  made.integer = value;
  push(made);
}

void PickleMachine::push_text(Kind kind, std::uint64_t size) {
  PickleValue& made = make(kind);
  made.text = characters(size);
  if (kind == Kind::text && !text::is_utf8(made.text)) fail("a text that is not UTF-8");
  push(made);
}

void PickleMachine::push_sequence(Kind kind, std::vector<PickleValue*> elements) {
  PickleValue& made = make(kind);
  made.sequence = std::move(elements);
  push(made);
}

void PickleMachine::tuple_of(std::size_t count) {
  std::vector<PickleValue*> elements(count);
  for (std::size_t i = count; i-- > 0;) elements[i] = &pop();
  push_sequence(Kind::tuple, std::move(elements));
}

void PickleMachine::long_number(std::uint64_t size) {
  if (size > 8) fail("a number of more than 64 bits");
  std::uint64_t value = number(static_cast<std::size_t>(size));
  if (size > 0 && size < 8 && (value >> (8 * size - 1) & 1) != 0)
    value |= ~std::uint64_t{0} << (8 * size);
  push_integer(static_cast<std::int64_t>(value));
}

void PickleMachine::real_number() {
  const std::uint64_t little = number(8);
  std::uint64_t big = 0;
  for (int i = 0; i < 8; ++i) big |= (little >> (8 * i) & 0xFF) << (8 * (7 - i));
  PickleValue& made = make(Kind::real);
  made.real = std::bit_cast<double>(big);
  push(made);
}

void PickleMachine::append_one(Kind kind) {
  PickleValue* const item = &pop();
  append({item}, kind);
}

void PickleMachine::append(const std::vector<PickleValue*>& items, Kind kind) {
  PickleValue& container = top();
  if (container.kind != kind) fail("elements without a list or set");
  container.sequence.insert(container.sequence.end(), items.begin(), items.end());
}

void PickleMachine::set_items(const std::vector<PickleValue*>& items) {
  PickleValue& container = top();
  if (container.kind != Kind::dictionary || items.size() % 2 != 0)
    fail("items without a dictionary");
  for (std::size_t i = 0; i < items.size(); i += 2)
    container.dictionary.emplace_back(items[i], items[i + 1]);
}

void PickleMachine::set_item() {
  PickleValue &value = pop(), &key = pop();
  set_items({&key, &value});
}

void PickleMachine::memoize(std::uint64_t index) {
  PickleValue& value = top();
  if (index >= limits_.memo) fail(fmt::format("memo index {}", index));
  if (index >= memo_.size()) memo_.resize(static_cast<std::size_t>(index) + 1, nullptr);
  memo_[static_cast<std::size_t>(index)] = &value;
  if (index >= memo_count_) memo_count_ = index + 1;
}

void PickleMachine::recall(std::uint64_t index) {
  if (index >= memo_.size() || memo_[static_cast<std::size_t>(index)] == nullptr)
    fail(fmt::format("memo index {} without a value", index));
  push(*memo_[static_cast<std::size_t>(index)]);
}

/// A class of another program is refused like any that is not allowed, but not as if it were an
/// attack.
void PickleMachine::push_global(const std::string& module, const std::string& name) {
  const std::string path = module + "." + name;
  if (const std::string_view program = foreign_program(path); !program.empty())
    throw Error(fmt::format(
        "{}: this is a checkpoint of {}, not of YOLOv7: it names the class '{}'; nothing of it was "
        "executed",
        source_, program, text::printable(path)));
  push(calls_.global(module, name));
}

void PickleMachine::global() {
  const std::string module = line(), name = line();
  push_global(module, name);
}

void PickleMachine::stack_global() {
  const PickleValue &name = pop(), &module = pop();
  if (name.kind != Kind::text || module.kind != Kind::text || name.text.size() > 200 ||
      module.text.size() > 200)
    fail("a class name of unknown form");
  push_global(module.text, name.text);
}

void PickleMachine::reduce() {
  const PickleValue &arguments = pop(), &function = pop();
  push(calls_.reduce(function, arguments));
}

void PickleMachine::new_object() {
  const PickleValue &arguments = pop(), &type = pop();
  push(calls_.new_object(type, arguments));
}

void PickleMachine::build() {
  const PickleValue& state = pop();
  calls_.build(top(), state);
}

void PickleMachine::persistent() {
  PickleValue& value = calls_.persistent(pop());
  if (value.kind == Kind::storage) document_.storages.push_back(&value);
  push(value);
}

void PickleMachine::check_keys() const {
  std::vector<const std::string*> texts;
  std::vector<std::int64_t> numbers;
  for (const PickleValue& value : document_.values) {
    texts.clear();
    numbers.clear();
    for (const auto& pair : value.dictionary) {
      if (pair.first->kind == Kind::text)
        texts.push_back(&pair.first->text);
      else if (pair.first->kind == Kind::integer)
        numbers.push_back(pair.first->integer);
      else
        fail("a dictionary whose keys are neither texts nor whole numbers");
    }
    std::sort(texts.begin(), texts.end(),
              [](const std::string* a, const std::string* b) { return *a < *b; });
    std::sort(numbers.begin(), numbers.end());
    for (std::size_t i = 1; i < texts.size(); ++i)
      if (*texts[i] == *texts[i - 1])
        fail(fmt::format("the key '{}' twice in one dictionary",
                         text::printable(texts[i]->substr(0, 100))));
    if (std::adjacent_find(numbers.begin(), numbers.end()) != numbers.end())
      fail("a number twice as the key of one dictionary");
  }
}

}  // namespace yolov7::network
