#include "core/value.hpp"

#include <fmt/format.h>
#include <yaml-cpp/anchor.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/text.hpp"

namespace yolov7 {
namespace {

std::size_t count_nodes(const Value& value) {
  std::size_t count = 1;
  for (const Value& child : value.sequence) count += count_nodes(child);
  for (const auto& entry : value.mapping) count += 1 + count_nodes(entry.second);
  return count;
}

/// Builds the tree from parser events; the budget of nodes is spent before memory is.
class Builder : public YAML::EventHandler {
 public:
  Builder(const std::string& source, const YamlLimits& limits) : source_(source), limits_(limits) {}
  Value result;

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(node(mark, Value::Kind::null), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    Value value = node(mark, Value::Kind::scalar);
    value.scalar = text;
    value.quoted = tag == "!";
    if (!value.quoted && (text.empty() || text == "~" || text::lower(text) == "null"))
      value.kind = Value::Kind::null;
    add(std::move(value), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) fail(mark, "an alias without its anchor");
    spend(mark, found->second.nodes);
    Value copy = found->second.value;
    insert(std::move(copy), mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, Value::Kind::sequence, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, Value::Kind::mapping, anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Value value;
    YAML::anchor_t anchor = 0;
    bool have_key = false;
    std::string key;
  };
  struct Anchored {
    Value value;
    std::size_t nodes = 0;
  };

  [[noreturn]] void fail(const YAML::Mark& mark, const std::string& found) const {
    throw Error(fmt::format("{}:{}:{}: found {}", source_, mark.line + 1, mark.column + 1, found));
  }
  Value node(const YAML::Mark& mark, Value::Kind kind) {
    spend(mark, 1);
    Value value;
    value.kind = kind;
    value.source = source_;
    value.line = mark.line + 1;
    value.column = mark.column + 1;
    return value;
  }
  void spend(const YAML::Mark& mark, std::size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > limits_.nodes)
      fail(mark,
           fmt::format("more than {} values (aliases counted as often as used)", limits_.nodes));
  }
  void open(const YAML::Mark& mark, Value::Kind kind, YAML::anchor_t anchor) {
    if (static_cast<int>(stack_.size()) >= limits_.depth)
      fail(mark, fmt::format("more than {} nested levels", limits_.depth));
    stack_.push_back({node(mark, kind), anchor, false, {}});
  }
  void close() {
    Open done = std::move(stack_.back());
    stack_.pop_back();
    add(std::move(done.value), done.anchor);
  }
  void add(Value value, YAML::anchor_t anchor) {
    if (anchor != 0) anchors_[anchor] = {value, count_nodes(value)};
    const YAML::Mark mark = [&] {
      YAML::Mark m;
      m.line = value.line - 1;
      m.column = value.column - 1;
      return m;
    }();
    insert(std::move(value), mark);
  }
  void insert(Value value, const YAML::Mark& mark) {
    if (stack_.empty()) {
      result = std::move(value);
      return;
    }
    Open& top = stack_.back();
    if (top.value.kind == Value::Kind::sequence) {
      top.value.sequence.push_back(std::move(value));
    } else if (!top.have_key) {
      if (value.kind != Value::Kind::scalar && value.kind != Value::Kind::null)
        fail(mark, "a key that is not plain text");
      if (value.scalar == "<<" && !value.quoted)
        fail(mark, "a merge key ('<<'), which is not read: write out the entries that it brings");
      if (top.value.find(value.scalar) != nullptr)
        fail(mark, fmt::format("the key '{}' twice", text::printable(value.scalar.substr(0, 200))));
      top.key = value.scalar;
      top.have_key = true;
    } else {
      top.value.mapping.emplace_back(std::move(top.key), std::move(value));
      top.have_key = false;
    }
  }

  const std::string& source_;
  const YamlLimits& limits_;
  std::size_t nodes_ = 0;
  std::vector<Open> stack_;
  std::map<YAML::anchor_t, Anchored> anchors_;
};

std::string describe(const Value& value) {
  switch (value.kind) {
    case Value::Kind::null: return "nothing";
    case Value::Kind::scalar:
      return fmt::format("'{}{}'", text::printable(value.scalar.substr(0, 200)),
                         value.scalar.size() > 200 ? "…" : "");
    case Value::Kind::sequence: return "a list";
    case Value::Kind::mapping: return "a mapping";
  }
  return "";
}

[[noreturn]] void expected(const Value& value, std::string_view what) {
  throw Error(fmt::format("{}: expected {}, found {}", value.where(), what, describe(value)));
}

/// What the library says of the faults that occur, for people.
std::string in_plain_words(const std::string& message) {
  constexpr std::pair<const char*, const char*> known[] = {
      {"end of map flow not found", "a { without its }"},
      {"end of sequence flow not found", "a [ without its ]"},
      {"end of map not found", "a key that does not stand where those before it do"},
      {"end of sequence not found", "an entry that does not stand where those before it do"},
      {"illegal map value", "a colon where none may stand; a text with ': ' needs quotes"},
      {"illegal flow end", "a ] or } without its beginning"},
      {"illegal block entry", "a '- ' where no list can begin"},
      {"unknown token", "a character that begins no value; a text with it needs quotes"}};
  for (const auto& [theirs, ours] : known)
    if (message == theirs) return ours;
  return "an error: " + message;
}

}  // namespace

Value::Value() = default;
Value::Value(const Value&) = default;
Value::Value(Value&&) noexcept = default;
Value& Value::operator=(const Value&) = default;
Value& Value::operator=(Value&&) noexcept = default;
Value::~Value() = default;

const Value* Value::find(std::string_view key) const {
  for (const auto& [name, value] : mapping)
    if (name == key) return &value;
  return nullptr;
}

const Value& Value::at(std::string_view key) const {
  if (const Value* value = find(key)) return *value;
  throw Error(fmt::format("{}: expected a key '{}', found none", where(), key));
}

double Value::number() const {
  if (kind == Kind::scalar && !quoted)
    if (const auto parsed = text::parse_double(scalar)) return *parsed;
  expected(*this, "a number");
}

long long Value::integer() const {
  if (kind == Kind::scalar && !quoted)
    if (const auto parsed = text::parse_int(scalar)) return *parsed;
  expected(*this, "a whole number");
}

bool Value::boolean() const {
  if (kind == Kind::scalar && !quoted) {
    const std::string word = text::lower(scalar);
    if (word == "true" || word == "yes" || word == "on" || word == "1") return true;
    if (word == "false" || word == "no" || word == "off" || word == "0") return false;
  }
  expected(*this, "true or false");
}

const std::string& Value::text() const {
  if (kind == Kind::scalar) return scalar;
  expected(*this, "text");
}

std::string Value::where() const { return fmt::format("{}:{}:{}", source, line, column); }

Value parse_yaml(std::string_view text, const std::string& source, const YamlLimits& limits) {
  if (text.size() > limits.bytes)
    throw Error(fmt::format("{}: expected at most {} bytes of YAML, found {}", source, limits.bytes,
                            text.size()));
  if (const auto zero = text.find('\0'); zero != std::string_view::npos)
    throw Error(
        fmt::format("{}: expected YAML text, found a zero byte at offset {}", source, zero));
  std::istringstream stream{std::string(text)};
  Builder builder(source, limits);
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder))
      throw Error(fmt::format("{}: expected a YAML document, found an empty file", source));
    YamlLimits rest = limits;
    Builder second(source, rest);
    if (parser.HandleNextDocument(second))
      throw Error(fmt::format("{}: expected one YAML document, found a second one", source));
  } catch (const YAML::Exception& error) {
    throw Error(fmt::format("{}:{}:{}: expected YAML, found {}", source, error.mark.line + 1,
                            error.mark.column + 1, in_plain_words(error.msg)));
  }
  return std::move(builder.result);
}

Value read_yaml(const std::filesystem::path& path, const YamlLimits& limits) {
  return parse_yaml(file::read(path, limits.bytes), path.string(), limits);
}

namespace {

/// What readers of YAML 1.1, such as Python's, take for a number or a date: 0x1F, 1_000,
/// 2024-05-01.
bool is_number_elsewhere(std::string_view text) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return false;
  return text.starts_with("0x") || text.starts_with("0o") || text.starts_with("0b") ||
         (text.find_first_of("_-") != std::string_view::npos &&
          text.find_first_not_of("0123456789_.-") == std::string_view::npos);
}

}  // namespace

std::string yaml_scalar(std::string_view text) {
  const auto plain_character = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '/' || c == '.' || c == '-';
  };
  const std::string word = text::lower(text);
  const bool reserved = word == "true" || word == "false" || word == "yes" || word == "no" ||
                        word == "on" || word == "off" || word == "null" || word == "y" ||
                        word == "n" || text::parse_double(text).has_value() ||
                        is_number_elsewhere(text);
  bool plain = !text.empty() && !reserved && text.front() != '-' && text.front() != '.';
  for (const char c : text) plain = plain && plain_character(c);
  if (plain) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\')
      out += '\\', out += c;
    else if (c == '\n')
      out += "\\n";
    else if (c == '\t')
      out += "\\t";
    else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out + "\"";
}

std::string yaml_flow(const Value& value) {
  std::vector<std::string> parts;
  switch (value.kind) {
    case Value::Kind::null: return "null";
    case Value::Kind::scalar: {
      // A plain number or switch stays one. These characters end a plain text in flow style alone.
      const std::string quoted = yaml_scalar(value.scalar);
      return !value.quoted && quoted.substr(1, quoted.size() - 2) == value.scalar &&
                     value.scalar.find_first_of(",?[]{}") == std::string::npos
                 ? value.scalar
                 : quoted;
    }
    case Value::Kind::sequence:
      for (const Value& element : value.sequence) parts.push_back(yaml_flow(element));
      return "[" + text::join(parts, ", ") + "]";
    case Value::Kind::mapping: break;
  }
  for (const auto& [key, element] : value.mapping)
    parts.push_back(yaml_scalar(key) + ": " + yaml_flow(element));
  return "{" + text::join(parts, ", ") + "}";
}

}  // namespace yolov7
