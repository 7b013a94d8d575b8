#include "core/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/text.hpp"

namespace yolov7 {

namespace {

/// Looked at beforehand: a callback of the parser makes it walk an array again for each object in
/// it.
bool deeper_than(std::string_view text, int limit) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '\\')
        ++i;
      else
        quoted = c != '"';
    } else if (c == '"') {
      quoted = true;
    } else if (c == '[' || c == '{') {
      if (++depth > limit) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '+' || c == '-' || c == '.';
}

/// What stands at `at`, where the parser gave up; moves `at` to the beginning of a word.
std::string syntax_fault(std::string_view text, std::size_t& at, std::string_view said) {
  const std::string usual = "expected JSON, found a syntax error";
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF"))
    return "expected JSON in UTF-8, found UTF-16";
  if (said.find("UTF-8") != std::string_view::npos) {
    // The parser stops at the byte that does not continue a character: go to where that began.
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    std::size_t from = at;
    while (from > 0 && at - from < 3 && byte(from - 1) >= 0x80 && byte(from - 1) < 0xC0) --from;
    if (from > 0 && byte(from - 1) >= 0xC0) at = from - 1;
    return "expected JSON, found a text that is not UTF-8";
  }
  if (at >= text.size())
    return text.empty() ? usual + ": the file is empty" : usual + ": the file ends too early";
  if (text[at] == '\'') return usual + ": texts stand in double quotes";
  if (text[at] == '/' || text[at] == '#') return usual + ": JSON has no comments";
  std::size_t from = at, to = at;
  while (from > 0 && is_word(text[from - 1])) --from;
  while (to < text.size() && is_word(text[to])) ++to;
  const std::string_view word = text.substr(from, to - from);
  for (const std::string_view known :
       {"NaN", "nan", "-NaN", "-nan", "Infinity", "-Infinity", "inf", "-inf", "Inf", "-Inf"})
    if (word == known) {
      at = from;
      return std::string(word) + " is no JSON number";
    }
  for (const std::string_view known : {"True", "False", "None"})
    if (word == known) {
      at = from;
      return fmt::format("{}: '{}' is a word of Python; JSON has true, false and null", usual,
                         word);
    }
  if (said.find("expected end of input") != std::string_view::npos)
    return usual + ": the file goes on behind its value";
  return usual;
}

[[noreturn]] void throw_syntax_error(std::string_view text, const std::string& source,
                                     std::size_t byte, std::string_view said) {
  std::size_t at = std::min(byte > 0 ? byte - 1 : 0, text.size());
  const std::string fault = syntax_fault(text, at, said);
  std::size_t line = 1, column = 1;
  for (std::size_t i = 0; i < at; ++i) {
    if (text[i] == '\n') {
      ++line;
      column = 1;
    } else if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80) {
      ++column;
    }
  }
  throw Error(fmt::format("{}:{}:{}: {}", source, line, column, fault));
}

/// Builds one piece at a time. The names of the methods are those of the parser.
class Pieces : public nlohmann::json_sax<nlohmann::json> {
  using json = nlohmann::json;

 public:
  using Each = std::function<void(const std::string&, json&)>;
  Pieces(std::string_view text, const std::string& source, const Each& each)
      : text_(text), source_(source), each_(each) {}

  bool null() override { return value(json()); }
  bool boolean(bool one) override { return value(json(one)); }
  bool number_integer(number_integer_t one) override { return value(json(one)); }
  bool number_unsigned(number_unsigned_t one) override { return value(json(one)); }
  bool number_float(number_float_t one, const string_t&) override { return value(json(one)); }
  bool string(string_t& one) override { return value(json(std::move(one))); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return start(json::object()); }
  bool start_array(std::size_t) override { return start(json::array()); }
  bool end_object() override { return end(); }
  bool end_array() override { return end(); }
  bool key(string_t& one) override {
    // The pieces of both would come, where other readers keep the last one.
    if (open_.empty() && !members_.insert(one).second)
      throw Error(fmt::format("{}: expected each member of the document once, found '{}' twice",
                              source_, text::printable(one)));
    (open_.empty() ? member_ : keys_.back()) = std::move(one);
    return true;
  }
  bool parse_error(std::size_t byte, const std::string&,
                   const nlohmann::detail::exception& error) override {
    if (dynamic_cast<const json::out_of_range*>(&error) != nullptr)
      throw Error(fmt::format(
          "{}: expected JSON, found a number that is too large for any number type", source_));
    throw_syntax_error(text_, source_, byte, error.what());
  }

 private:
  enum class Root { none, object, array };

  bool value(json one) {
    if (root_ == Root::none)
      throw Error(
          fmt::format("{}: expected a JSON object or array, found a single value", source_));
    if (open_.empty())
      each_(member_, one);
    else if (open_.back().is_array())
      open_.back().push_back(std::move(one));
    else
      open_.back()[keys_.back()] = std::move(one);
    return true;
  }
  bool start(json container) {
    if (root_ == Root::none) {
      root_ = container.is_array() ? Root::array : Root::object;
    } else if (root_ == Root::object && open_.empty() && !in_member_ && container.is_array()) {
      in_member_ = true;
    } else {
      open_.push_back(std::move(container));
      keys_.emplace_back();
    }
    return true;
  }
  bool end() {
    if (open_.empty()) {
      in_member_ = false;  // the member's array, or the document
      return true;
    }
    json done = std::move(open_.back());
    open_.pop_back();
    keys_.pop_back();
    return value(std::move(done));
  }

  std::string_view text_;
  const std::string& source_;
  const Each& each_;
  Root root_ = Root::none;
  bool in_member_ = false;
  std::string member_;
  std::set<std::string> members_;  // of the document
  std::vector<json> open_;
  std::vector<std::string> keys_;
};

}  // namespace

void stream_json(std::string_view text, const std::string& source,
                 const std::function<void(const std::string&, nlohmann::json&)>& each,
                 int depth_limit) {
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  if (deeper_than(text, depth_limit))
    throw Error(fmt::format("{}: expected at most {} nested levels of JSON, found more", source,
                            depth_limit));
  Pieces pieces(text, source, each);
  nlohmann::json::sax_parse(text.begin(), text.end(), &pieces);
}

nlohmann::json parse_json(std::string_view text, const std::string& source, int depth_limit) {
  using json = nlohmann::json;
  if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
  if (deeper_than(text, depth_limit))
    throw Error(fmt::format("{}: expected at most {} nested levels of JSON, found more", source,
                            depth_limit));
  try {
    return json::parse(text.begin(), text.end());
  } catch (const json::parse_error& error) {
    throw_syntax_error(text, source, error.byte, error.what());
  } catch (const json::out_of_range&) {
    throw Error(fmt::format(
        "{}: expected JSON, found a number that is too large for any number type", source));
  }
}

nlohmann::json read_json(const std::filesystem::path& path, int depth_limit) {
  return parse_json(file::read(path), path.string(), depth_limit);
}

std::string json_text(const nlohmann::json& value, int indent) {
  return value.dump(indent, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace yolov7
