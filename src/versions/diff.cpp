#include "versions/diff.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_set>

namespace yolov7::versions {
namespace {

using Key = std::pair<std::string, std::string>;  // path, split

/// The items of the pages that the other version does not have, or of all.
std::vector<Item> items_of_pages(Store& store, const Root& of, const Root& other, bool all) {
  std::unordered_set<Digest, DigestHash> known;
  if (!all) known.insert(other.pages.begin(), other.pages.end());
  std::vector<Item> items;
  for (const Digest& page : of.pages)
    if (!known.contains(page))
      for (Item& item : store.page(page)) items.push_back(std::move(item));
  return items;
}

void diff_classes(const ClassList& before, const ClassList& after, Diff& diff) {
  const std::vector<int> map = match_class_lists(before, after);
  std::set<int> met;
  for (std::size_t i = 0; i < map.size(); ++i) {
    const std::string& name = before.classes[i].name;
    if (map[i] < 0) {
      diff.classes_removed.push_back(name);
      continue;
    }
    met.insert(map[i]);
    const std::string& now = after.classes[static_cast<std::size_t>(map[i])].name;
    ClassList::Entry properties = before.classes[i];
    properties.name = now;
    if (now != name) diff.classes_renamed.push_back({name, now});
    if (properties != after.classes[static_cast<std::size_t>(map[i])])
      diff.classes_with_other_properties.push_back(now);
    diff.classes_reordered = diff.classes_reordered || map[i] != static_cast<int>(i);
  }
  diff.other_kpt_shape =
      before.key_points != after.key_points || before.key_point_values != after.key_point_values;
  for (std::size_t k = 0; k < after.classes.size(); ++k)
    if (!met.contains(static_cast<int>(k))) diff.classes_added.push_back(after.classes[k].name);
}

/// Pairs of removed and added items that are one image elsewhere.
void find_renamed(std::vector<Item>& gone, std::vector<Item>& fresh, Diff& diff,
                  std::vector<std::pair<Item, Item>>& pairs) {
  std::multimap<Digest, std::size_t> by_image;
  for (std::size_t i = 0; i < gone.size(); ++i) by_image.emplace(gone[i].image, i);
  std::vector<bool> taken(gone.size());
  std::vector<Item> left;
  for (Item& item : fresh) {
    const auto [first, last] = by_image.equal_range(item.image);
    auto best = last;
    for (auto one = first; one != last; ++one)
      if (best == last || gone[one->second].path == item.path) best = one;
    if (best == last) {
      left.push_back(std::move(item));
      continue;
    }
    const Item& old = gone[best->second];
    taken[best->second] = true;
    (old.path == item.path ? diff.images_moved : diff.images_renamed).emplace_back(old, item);
    if (old.path != item.path && old.split != item.split) diff.images_moved.emplace_back(old, item);
    pairs.emplace_back(old, std::move(item));
    by_image.erase(best);
  }
  fresh = std::move(left);
  std::vector<Item> still;
  for (std::size_t i = 0; i < gone.size(); ++i)
    if (!taken[i]) still.push_back(std::move(gone[i]));
  gone = std::move(still);
}

bool same_rows(const Annotations& a, const Annotations& b) {
  std::multiset<std::string> rows;
  for (const Shape& shape : a.shapes) rows.insert(shape.row);
  for (const Shape& shape : b.shapes) {
    const auto found = rows.find(shape.row);
    if (found == rows.end()) return false;
    rows.erase(found);
  }
  return rows.empty() && a.image == b.image;
}

class Comparing {
 public:
  Comparing(const Content& before, const Content& after,
            const std::function<std::string(const Digest&)>& text, Diff& diff)
      : before_(before),
        after_(after),
        text_(text),
        diff_(diff),
        class_map_(match_class_lists(before.classes, after.classes)),
        same_numbers_(keeps_numbers(class_map_)) {}

  void compare() {
    std::map<Key, const Item*> old;
    for (const Item& item : before_.items) old.emplace(Key(item.path, item.split), &item);
    std::vector<Item> gone, fresh;
    std::vector<std::pair<Item, Item>> pairs;
    for (const Item& item : after_.items) {
      const auto found = old.find(Key(item.path, item.split));
      if (found == old.end()) {
        fresh.push_back(item);
        continue;
      }
      if (found->second->image != item.image)
        diff_.images_replaced.emplace_back(*found->second, item);
      if (differ(*found->second, item)) pairs.emplace_back(*found->second, item);
      old.erase(found);
    }
    for (const auto& [key, item] : old) gone.push_back(*item);
    diff_.images_compared = std::max(before_.items.size(), after_.items.size());
    find_renamed(gone, fresh, diff_, pairs);
    for (const auto& [one, other] : pairs)
      if (differ(one, other)) compare_labels(one, other);
    for (const Item& item : gone) count_all(item, before_.classes, BoxChange::removed);
    for (const Item& item : fresh) count_all(item, after_.classes, BoxChange::added);
    diff_.images_added = std::move(fresh);
    diff_.images_removed = std::move(gone);
    for (auto& [name, counts] : by_class_) diff_.by_class.emplace_back(name, counts);
  }

 private:
  /// Equal rows of classes with other numbers are other boxes.
  bool differ(const Item& one, const Item& other) const {
    return one.annotations != other.annotations || (!same_numbers_ && one.annotations);
  }
  static int columns(const ClassList& classes) {
    return classes.key_points * classes.key_point_values;
  }
  Annotations annotations(const Item& item, const ClassList& classes) const {
    if (!item.annotations) return {};
    return parse_annotations(text_(*item.annotations), columns(classes), item.path);
  }
  void count(const Shape& shape, const ClassList& classes, BoxChange kind) {
    const auto at = static_cast<std::size_t>(kind);
    ++diff_.boxes[at];
    const auto place = static_cast<std::size_t>(shape.class_index);
    const bool known = shape.class_index >= 0 && place < classes.classes.size();
    ++by_class_[known          ? classes.classes[place].name
                : shape.is_box ? std::to_string(shape.class_index)
                               : "(no label)"][at];
  }
  void count_all(const Item& item, const ClassList& classes, BoxChange kind) {
    for (const Shape& shape : annotations(item, classes).shapes) count(shape, classes, kind);
  }

  void compare_labels(const Item& one, const Item& other) {
    ImageDiff image;
    image.path = other.path, image.split = other.split;
    image.now_annotated = !one.annotations;
    image.no_longer_annotated = !other.annotations;
    image.before = annotations(one, before_.classes);
    image.after = annotations(other, after_.classes);
    image.image_properties =
        one.annotations && other.annotations && image.before.image != image.after.image;
    image.boxes = diff_shapes(image.before.shapes, image.after.shapes, class_map_);
    image.order_only = image.boxes.empty() && one.annotations && other.annotations &&
                       same_rows(image.before, image.after);
    for (const ShapeDiff& box : image.boxes) {
      const bool gone = box.kind == BoxChange::removed;
      count(gone ? image.before.shapes[static_cast<std::size_t>(box.before)]
                 : image.after.shapes[static_cast<std::size_t>(box.after)],
            gone ? before_.classes : after_.classes, box.kind);
    }
    if (one.annotations != other.annotations || !image.boxes.empty())
      diff_.labels.push_back(std::move(image));
  }

  const Content& before_;
  const Content& after_;
  const std::function<std::string(const Digest&)>& text_;
  Diff& diff_;
  std::vector<int> class_map_;
  bool same_numbers_;
  std::map<std::string, std::array<std::size_t, box_changes>> by_class_;
};

}  // namespace

bool Diff::empty() const {
  return classes_added.empty() && classes_removed.empty() && classes_renamed.empty() &&
         !classes_reordered && classes_with_other_properties.empty() && !other_kpt_shape &&
         !other_recipe && images_added.empty() && images_removed.empty() &&
         images_replaced.empty() && images_renamed.empty() && images_moved.empty() &&
         labels.empty();
}

std::vector<int> match_class_lists(const ClassList& before, const ClassList& after) {
  std::map<std::string, int> new_names;
  std::set<std::string> old_names;
  for (std::size_t k = 0; k < after.classes.size(); ++k)
    new_names.emplace(after.classes[k].name, static_cast<int>(k));
  for (const ClassList::Entry& one : before.classes) old_names.insert(one.name);
  std::vector<int> map(before.classes.size(), -1);
  for (std::size_t i = 0; i < map.size(); ++i) {
    const auto found = new_names.find(before.classes[i].name);
    if (found != new_names.end())
      map[i] = found->second;
    else if (i < after.classes.size() && !old_names.contains(after.classes[i].name))
      map[i] = static_cast<int>(i);
  }
  // Names that stand for two classes are told apart by their places.
  if (old_names.size() < before.classes.size() || new_names.size() < after.classes.size())
    for (std::size_t i = 0; i < map.size() && i < after.classes.size(); ++i)
      if (before.classes[i].name == after.classes[i].name) map[i] = static_cast<int>(i);
  return map;
}

bool keeps_numbers(const std::vector<int>& class_map) {
  for (std::size_t i = 0; i < class_map.size(); ++i)
    if (class_map[i] != static_cast<int>(i)) return false;
  return true;
}

Diff diff_contents(const Content& before, const Content& after,
                   const std::function<std::string(const Digest&)>& text) {
  Diff diff;
  diff_classes(before.classes, after.classes, diff);
  diff.other_recipe = before.recipe != after.recipe;
  Comparing(before, after, text, diff).compare();
  return diff;
}

Diff diff_versions(Store& store, const Digest& before, const Digest& after) {
  const Root one = store.root(before), other = store.root(after);
  Content a, b;
  a.classes = store.classes(one.classes), b.classes = store.classes(other.classes);
  if (one.recipe) a.recipe = store.text(*one.recipe);
  if (other.recipe) b.recipe = store.text(*other.recipe);
  const bool all = !keeps_numbers(match_class_lists(a.classes, b.classes));
  a.items = items_of_pages(store, one, other, all);
  b.items = items_of_pages(store, other, one, all);
  return diff_contents(a, b, [&](const Digest& digest) { return store.text(digest); });
}

}  // namespace yolov7::versions
