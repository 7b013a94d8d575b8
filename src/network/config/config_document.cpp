#include "network/config/config_document.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "network/config/builder.hpp"
#include "network/graph/graph.hpp"

namespace yolov7::network {
namespace {

ConfigEntry read_entry(const Value& value, int index, bool head) {
  ConfigEntry entry;
  entry.id = index;
  entry.head = head;
  const auto add = [&](long long from) {
    entry.from.push_back(static_cast<int>(from < 0 ? index + from : from));
  };
  const Value& from = value.sequence.at(0);
  if (from.is_sequence())
    for (const Value& one : from.sequence) add(one.integer());
  else
    add(from.integer());
  entry.repeats = static_cast<int>(value.sequence.at(1).integer());
  entry.block = value.sequence.at(2).text();
  for (const Value& argument : value.sequence.at(3).sequence) {
    entry.arguments.push_back(parse_argument(argument));
    entry.arguments.back().place = nullptr;
  }
  return entry;
}

std::string scalar_text(const Value& value) {
  return value.quoted ? yaml_scalar(value.scalar) : value.scalar;
}

std::string row_text(const Value& row) {
  std::vector<std::string> numbers;
  for (const Value& number : row.sequence) numbers.push_back(scalar_text(number));
  return "[" + text::join(numbers, ", ") + "]";
}

std::string header_text(const Value& root) {
  std::string out;
  for (const char* key : {"nc", "depth_multiple", "width_multiple"})
    if (const Value* value = root.find(key); value != nullptr && value->is_scalar())
      out += fmt::format("{}: {}\n", key, scalar_text(*value));
  const Value* anchors = root.find("anchors");
  if (anchors == nullptr) return out;
  if (anchors->is_scalar()) return out + fmt::format("anchors: {}\n", scalar_text(*anchors));
  out += "anchors:\n";
  for (const Value& row : anchors->sequence) out += "  - " + row_text(row) + "\n";
  return out;
}

/// "model.24.cv1.conv" → 24, "cv1.conv"; build() has seen that it is a convolution's name.
std::pair<int, std::string> split_tensor(const std::string& name) {
  const std::size_t begin = name.find('.') + 1, end = name.find('.', begin);
  return {std::stoi(name.substr(begin, end - begin)), name.substr(end + 1)};
}

std::string widths_text(const ConfigDocument& document, const std::map<int, int>& positions) {
  std::map<std::pair<int, std::string>, int> sorted;
  for (const auto& [place, channels] : document.widths)
    if (const auto at = positions.find(place.first); at != positions.end())
      sorted[{at->second, place.second}] = channels;
  if (sorted.empty()) return {};
  std::string out = "widths:\n";
  for (const auto& [place, channels] : sorted)
    out += fmt::format("  model.{}.{}: {}\n", place.first, place.second, channels);
  return out;
}

std::string argument_text(const Argument& argument) {
  return argument.kind == Argument::Kind::text && argument.text != "nearest"
             ? "'" + argument.text + "'"
             : describe(argument);
}

std::string entry_text(const ConfigEntry& entry, int position,
                       const std::map<int, int>& positions) {
  std::vector<std::string> inputs, arguments;
  for (const int id : entry.from) {
    const int at = id < 0 ? -1 : positions.at(id);
    inputs.push_back(fmt::format("{}", at == position - 1 ? -1 : at));
  }
  for (const Argument& argument : entry.arguments) arguments.push_back(argument_text(argument));
  const std::string from = inputs.size() == 1 ? inputs[0] : "[" + text::join(inputs, ", ") + "]";
  return fmt::format("  - [{}, {}, {}, [{}]]  # {}\n", from, entry.repeats, entry.block,
                     text::join(arguments, ", "), position);
}

}  // namespace

const ConfigEntry* ConfigDocument::find(int id) const {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const ConfigEntry& entry) { return entry.id == id; });
  return found == entries.end() ? nullptr : &*found;
}

ConfigEntry* ConfigDocument::find(int id) {
  return const_cast<ConfigEntry*>(std::as_const(*this).find(id));
}

std::map<int, int> ConfigDocument::positions() const {
  std::map<int, int> result;
  for (std::size_t i = 0; i < entries.size(); ++i) result[entries[i].id] = static_cast<int>(i);
  return result;
}

ConfigDocument parse_config(std::string_view text, const std::string& source) {
  const Network network =
      build(text, source);  // every error a configuration can have is found, and said, here
  ConfigDocument document;
  document.root = parse_yaml(text, source);
  int index = 0;
  for (const char* part : {"backbone", "head"})
    if (const Value* list = document.root.find(part); list != nullptr)
      for (const Value& entry : list->sequence)
        document.entries.push_back(read_entry(entry, index++, std::string_view(part) == "head"));
  for (const Layer& layer : network.layers)
    if (!layer.attention.empty()) document.attention[layer.index] = layer.attention;
  if (const Value* widths = document.root.find("widths"); widths != nullptr)
    for (const auto& [name, channels] : widths->mapping)
      document.widths[split_tensor(name)] = static_cast<int>(channels.integer());
  return document;
}

std::string with_anchor_count(std::string_view text, const std::string& source, int count) {
  ConfigDocument document = parse_config(text, source);
  for (auto& [key, value] : document.root.mapping) {
    if (key != "anchors") continue;
    value.kind = Value::Kind::scalar;
    value.scalar = std::to_string(count);
    value.quoted = false;
    value.sequence.clear();
  }
  return to_text(document, fmt::format("{}, {} anchors per level", source, count));
}

std::string with_widths(std::string_view text, const std::string& source,
                        const std::map<std::string, int>& widths) {
  ConfigDocument document = parse_config(text, source);
  for (const auto& [name, channels] : widths) document.widths[split_tensor(name)] = channels;
  return to_text(document, source + ", pruned");
}

std::string to_text(const ConfigDocument& document, const std::string& comment) {
  const std::map<int, int> positions = document.positions();
  std::string out = "# " + text::printable(comment) + "\n" + header_text(document.root);
  if (!document.attention.empty()) {
    std::vector<std::string> pairs;
    for (const auto& [id, kind] : document.attention)
      if (positions.count(id) != 0) pairs.push_back(fmt::format("{}: {}", positions.at(id), kind));
    out += "sam: {" + text::join(pairs, ", ") + "}\n";
  }
  out += widths_text(document, positions);
  for (const bool head : {false, true}) {
    out += head ? "head:\n" : "backbone:\n";
    for (std::size_t i = 0; i < document.entries.size(); ++i)
      if (document.entries[i].head == head)
        out += entry_text(document.entries[i], static_cast<int>(i), positions);
  }
  return out;
}

}  // namespace yolov7::network
