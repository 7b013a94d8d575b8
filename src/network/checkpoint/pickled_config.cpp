#include "network/checkpoint/pickled_config.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/value.hpp"

namespace yolov7::network {
namespace {

using Kind = PickleValue::Kind;
constexpr std::size_t most_bytes = 4u << 20;
constexpr int deepest = 8;

class Writer {
 public:
  explicit Writer(const std::string& source) : source_(source) {}

  void number(const PickleValue& yaml, const char* key) {
    if (const PickleValue* value = yaml.find(key)) {
      if (value->kind != Kind::integer && value->kind != Kind::real)
        fail(fmt::format("{}: expected a number", key));
      put(fmt::format("{}: ", key));
      write(*value, 0);
      put("\n");
    }
  }

  void rows(const PickleValue& yaml, const char* key) {
    const PickleValue* list = yaml.find(key);
    if (list == nullptr || !list->is_sequence()) fail(fmt::format("{}: expected a list", key));
    put(fmt::format("{}:{}\n", key, list->sequence.empty() ? " []" : ""));
    for (const PickleValue* row : list->sequence) {
      put("  - ");
      write(*row, 0);
      put("\n");
    }
  }

  std::string out;

 private:
  [[noreturn]] void fail(const std::string& reason) const {
    throw Error(fmt::format("{}: its configuration: {}, found something else", source_, reason));
  }

  void put(const std::string& text) {
    out += text;
    if (out.size() > most_bytes) fail(fmt::format("expected at most {} bytes", most_bytes));
  }

  static std::string scalar(const std::string& text) {
    // Words, block names and activations stay plain; the grammar of configs refuses what it does
    // not know.
    const bool plain = !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
      return c < 128 && (std::isalnum(c) != 0 || c == '_' || c == '.' || c == '(' || c == ')');
    });
    return plain ? text : yaml_scalar(text);
  }

  void write(const PickleValue& value, int depth) {
    switch (value.kind) {
      case Kind::none: return put("None");
      case Kind::boolean: return put(value.integer != 0 ? "True" : "False");
      case Kind::integer: return put(fmt::format("{}", value.integer));
      case Kind::real: return put(fmt::format("{}", value.real));
      case Kind::text: return put(scalar(value.text));
      case Kind::list:
      case Kind::tuple: break;
      default: fail("expected numbers, texts and lists");
    }
    if (depth > deepest) fail("expected lists of few levels");
    put("[");
    for (std::size_t i = 0; i < value.sequence.size(); ++i) {
      if (i > 0) put(", ");
      write(*value.sequence[i], depth + 1);
    }
    put("]");
  }

  const std::string& source_;
};

}  // namespace

std::string config_text(const PickleValue& yaml, const std::string& source) {
  if (yaml.kind != Kind::dictionary)
    throw Error(fmt::format(
        "{}: expected its configuration to be a dictionary, found something else", source));
  Writer writer(source);
  for (const char* key : {"nc", "depth_multiple", "width_multiple"}) writer.number(yaml, key);
  const PickleValue* anchors = yaml.find("anchors");
  if (anchors != nullptr && anchors->is_sequence())
    writer.rows(yaml, "anchors");
  else
    writer.number(yaml, "anchors");
  writer.rows(yaml, "backbone");
  writer.rows(yaml, "head");
  return std::move(writer.out);
}

std::string with_number(const std::string& text, const std::string& key, double value) {
  const std::string line = fmt::format("{}: {}", key, value);
  std::size_t at = text.rfind(key + ":", 0) == 0 ? 0 : text.find("\n" + key + ":");
  if (at == std::string::npos) return line + "\n" + text;
  if (at > 0) ++at;
  return text.substr(0, at) + line + text.substr(std::min(text.find('\n', at), text.size()));
}

}  // namespace yolov7::network
