#include "versions/content.hpp"

#include <fmt/format.h>

#include <tuple>

#include "core/error.hpp"
#include "core/escaped_field.hpp"
#include "core/text.hpp"

namespace yolov7::versions {
namespace {

constexpr std::string_view root_title = "yolov7.cpp data set version 1";
constexpr std::size_t most_items = 1024;

Error malformed(const std::string& source, const char* expected, std::string_view found) {
  return Error(fmt::format("{}: expected {}, found '{}'", source, expected,
                           text::printable(found.substr(0, 80))));
}

Digest read_digest(std::string_view text, const std::string& source) {
  const auto digest = digest_of(text);
  if (!digest) throw malformed(source, "a SHA-256 of 64 hexadecimal digits", text);
  return *digest;
}

/// Lines of a text that ends with a line feed; nothing behind it is allowed.
std::vector<std::string_view> records(std::string_view text, const std::string& source) {
  if (text.empty()) return {};
  if (text.back() != '\n') throw malformed(source, "a line feed at the end", text);
  text.remove_suffix(1);
  return text::split(text, '\n');
}

int small_number(std::string_view text, const std::string& source) {
  const auto number = text::parse_int(text);
  if (!number || *number < 0 || *number > 1'000'000)
    throw malformed(source, "a number of key points", text);
  return static_cast<int>(*number);
}

/// What a version names stays inside the folder where it is written.
void require_plain(const Item& item, const std::string& source) {
  for (const std::string_view part : text::split(item.path, '/'))
    if (part.empty() || part == "." || part == "..")
      throw malformed(source, "a path below the folder of the data set", item.path);
  if (item.path.find('\0') != std::string::npos)
    throw malformed(source, "a path without zero bytes", item.path);
  if (item.split.empty() ||
      item.split.find_first_of(std::string_view("/\0", 2)) != std::string::npos)
    throw malformed(source, "the name of a split", item.split);
}

}  // namespace

bool before(const Item& a, const Item& b) {
  return std::tie(a.path, a.split) < std::tie(b.path, b.split);
}

std::string text_of(const ClassList& classes) {
  std::string out = fmt::format("classes {}\nkey points {} {}\n", classes.classes.size(),
                                classes.key_points, classes.key_point_values);
  for (const ClassList::Entry& one : classes.classes) {
    out += text::escaped_field(one.name);
    if (!one.id.empty() || !one.supercategory.empty() || !one.colour.empty() || !one.points.empty())
      out += fmt::format("\t{}\t{}\t{}", text::escaped_field(one.id),
                         text::escaped_field(one.supercategory), text::escaped_field(one.colour));
    if (!one.points.empty()) out += "\t" + text::escaped_field(one.points);
    out += '\n';
  }
  return out;
}

ClassList parse_classes(std::string_view text, const std::string& source) {
  const auto lines = records(text, source);
  if (lines.size() < 2 || !lines[0].starts_with("classes "))
    throw malformed(source, "a list of classes", text);
  ClassList result;
  const auto words = text::split(lines[1], ' ');
  if (words.size() != 4 || !lines[1].starts_with("key points "))
    throw malformed(source, "key points and their numbers", lines[1]);
  result.key_points = small_number(words[2], source);
  result.key_point_values = small_number(words[3], source);
  for (std::size_t at = 2; at < lines.size(); ++at) {
    const auto fields = text::split(lines[at], '\t');
    if (fields.size() != 1 && fields.size() != 4 && fields.size() != 5)
      throw malformed(source, "a class with one field, four or five", lines[at]);
    ClassList::Entry entry{text::unescaped_field(fields[0]), {}, {}, {}};
    if (fields.size() >= 4)
      entry = {text::unescaped_field(fields[0]), text::unescaped_field(fields[1]),
               text::unescaped_field(fields[2]), text::unescaped_field(fields[3])};
    if (fields.size() == 5) entry.points = text::unescaped_field(fields[4]);
    result.classes.push_back(std::move(entry));
  }
  if (lines[0] != fmt::format("classes {}", result.classes.size()))
    throw malformed(source, "as many classes as the first line says", lines[0]);
  return result;
}

std::string text_of(const Root& root) {
  std::string out = fmt::format("{}\nclasses {}\n", root_title, hex(root.classes));
  if (root.recipe) out += fmt::format("recipe {}\n", hex(*root.recipe));
  for (const Digest& page : root.pages) out += fmt::format("page {}\n", hex(page));
  return out;
}

Root parse_root(std::string_view text, const std::string& source) {
  const auto lines = records(text, source);
  if (lines.size() < 2 || lines[0] != root_title || !lines[1].starts_with("classes "))
    throw malformed(source, "a version of a data set", text);
  Root root;
  root.classes = read_digest(lines[1].substr(8), source);
  for (std::size_t i = 2; i < lines.size(); ++i) {
    if (i == 2 && lines[i].starts_with("recipe "))
      root.recipe = read_digest(lines[i].substr(7), source);
    else if (lines[i].starts_with("page "))
      root.pages.push_back(read_digest(lines[i].substr(5), source));
    else
      throw malformed(source, "a page", lines[i]);
  }
  return root;
}

std::vector<Item> parse_page(std::string_view text, const std::string& source) {
  std::vector<Item> items;
  for (const std::string_view line : records(text, source)) {
    const auto fields = text::split(line, '\t');
    if (fields.size() != 4) throw malformed(source, "an item of four fields", line);
    Item item{text::unescaped_field(fields[0]),
              text::unescaped_field(fields[1]),
              read_digest(fields[2], source),
              {}};
    if (fields[3] != "-") item.annotations = read_digest(fields[3], source);
    require_plain(item, source);
    items.push_back(std::move(item));
  }
  return items;
}

void for_each_page(
    const std::vector<Item>& items,
    const std::function<void(std::string text, std::size_t first, std::size_t count)>& take) {
  std::string text;
  std::size_t first = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Item& item = items[i];
    text += text::escaped_field(item.path);
    text += '\t';
    text += text::escaped_field(item.split);
    text += '\t';
    text += hex(item.image);
    text += '\t';
    text += item.annotations ? hex(*item.annotations) : std::string("-");
    text += '\n';
    const bool ends = (item.image.back() & 63) == 0 || i + 1 - first == most_items;
    if (!ends && i + 1 < items.size()) continue;
    take(std::move(text), first, i + 1 - first);
    text.clear();
    first = i + 1;
  }
}

}  // namespace yolov7::versions
