// label_map.pbtxt of TensorFlow's object detection interface: text of protocol buffers.
#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "dataset/formats/tfrecord.hpp"

namespace yolov7::dataset {
namespace {

/// One sign, word, number or text in quotes; what may stand between them is passed over.
class Tokens {
 public:
  Tokens(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  bool next(std::string& token, bool& quoted) {
    skip();
    quoted = false;
    token.clear();
    if (at_ == text_.size()) return false;
    const char c = text_[at_];
    if (c == '"' || c == '\'') {
      quoted = true;
      read_quoted(c, token);
      return true;
    }
    const auto is_word = [](char one) {
      return std::isalnum(static_cast<unsigned char>(one)) != 0 || one == '_' || one == '-' ||
             one == '.' || one == '/';
    };
    if (!is_word(c)) {
      token = text_[at_++];
      return true;
    }
    while (at_ < text_.size() && is_word(text_[at_])) token += text_[at_++];
    return true;
  }
  Error fault(const std::string& expected, const std::string& found) const {
    const auto line =
        1 + std::count(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at_), '\n');
    return Error(fmt::format("{}:{}: expected {}, found {}", source_, line, expected,
                             found.empty() ? "the end" : "'" + text::printable(found) + "'"));
  }

 private:
  void skip() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '#')
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      else if (c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == ',' || c == ';')
        ++at_;
      else
        return;
    }
  }
  void read_quoted(char quote, std::string& token) {
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      token += text_[at_];
    }
    if (at_ == text_.size()) throw fault("a closing quote", "");
    ++at_;
  }

  std::string_view text_;
  const std::string& source_;
  std::size_t at_ = 0;
};

}  // namespace

std::map<std::int64_t, std::string> parse_label_map(std::string_view text,
                                                    const std::string& source) {
  std::map<std::int64_t, std::string> names;
  Tokens tokens(text, source);
  std::string token, value;
  bool quoted = false;
  while (tokens.next(token, quoted)) {
    if (token != "item" || quoted) throw tokens.fault("item", token);
    std::string sign;
    if (!tokens.next(sign, quoted)) throw tokens.fault("{", sign);
    if (sign == ":" && !tokens.next(sign, quoted)) throw tokens.fault("{", sign);
    if (sign != "{") throw tokens.fault("{", sign);
    std::optional<std::int64_t> id;
    std::string name, shown;
    while (tokens.next(token, quoted) && (quoted || token != "}")) {
      if (!tokens.next(sign, quoted) || sign != ":") throw tokens.fault(":", sign);
      if (!tokens.next(value, quoted)) throw tokens.fault("a value", value);
      if (token == "id") id = text::parse_int(value);
      if (token == "id" && !id) throw tokens.fault("a whole number", value);
      if (token == "name") name = value;
      if (token == "display_name") shown = value;
    }
    if (token != "}") throw tokens.fault("}", token);
    if (name.empty()) name = shown;
    if (!id || name.empty()) throw tokens.fault("id and name of an item", "an item without");
    if (!names.emplace(*id, name).second)
      throw tokens.fault("each id once", fmt::format("id {} twice", *id));
  }
  return names;
}

std::string label_map_text(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::string quoted;
    for (const char c : names[i]) {
      if (c == '\\' || c == '\'') quoted += '\\';
      quoted += c;
    }
    out += fmt::format("item {{\n  id: {}\n  name: '{}'\n}}\n", i + 1, quoted);
  }
  return out;
}

}  // namespace yolov7::dataset
