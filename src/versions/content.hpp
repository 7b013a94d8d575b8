#pragma once
// What a version consists of, and its canonical form, whose SHA-256 is the version's id
// (data-services E1).
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/sha256.hpp"

namespace yolov7::versions {

/// One image of one split.
struct Item {
  std::string path;                   ///< relative to the folder of the data set, with "/"
  std::string split;                  ///< "train", "val", "test" or another name
  Digest image{};                     ///< of the file's bytes
  std::optional<Digest> annotations;  ///< of the annotation text; nothing: not annotated yet
  bool operator==(const Item&) const = default;
};
/// By path, then split.
bool before(const Item& a, const Item& b);

struct ClassList {
  struct Entry {
    std::string name, id, supercategory, colour;
    std::string points = {};  ///< of its key points (class_points.hpp); "" = none
    bool operator==(const Entry&) const = default;
  };
  std::vector<Entry> classes;
  int key_points = 0, key_point_values = 0;  ///< `kpt_shape` of a data.yaml
  bool operator==(const ClassList&) const = default;
};

/// A version without its pages.
struct Root {
  Digest classes{};
  std::optional<Digest> recipe;
  std::vector<Digest> pages;
};

/// Fields stand between tabs, records end with a line feed; in fields these and the backslash are
/// \t, \n and \\.
std::string escaped(std::string_view field);
std::string unescaped(std::string_view field);

std::string text_of(const ClassList& classes);
std::string text_of(const Root& root);
/// Errors: not of the form, a path that leads out of its folder; `source` names the place.
ClassList parse_classes(std::string_view text, const std::string& source);
Root parse_root(std::string_view text, const std::string& source);
std::vector<Item> parse_page(std::string_view text, const std::string& source);

/// Cuts sorted items into pages, so that a small change changes few of them: a page ends behind an
/// item whose image hash ends in six zero bits, and after 1,024 items. Hands out each page's text
/// with the items in it.
void for_each_page(
    const std::vector<Item>& items,
    const std::function<void(std::string text, std::size_t first, std::size_t count)>& take);

}  // namespace yolov7::versions
