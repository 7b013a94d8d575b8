// Steps of recipes on annotations.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "image/codec/codec.hpp"
#include "versions/merge.hpp"
#include "versions/recipe_steps.hpp"

namespace yolov7::versions {
namespace {

int class_named(const ClassList& classes, const std::string& name, const Value& where) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < classes.classes.size(); ++i) {
    if (classes.classes[i].name == name) return static_cast<int>(i);
    names.push_back(classes.classes[i].name);
  }
  throw Error(fmt::format("{}: expected a class of the version ({}), found '{}'{}", where.where(),
                          text::join(names, ", "), text::printable(name),
                          text::did_you_mean(name, names)));
}

/// Gives every shape its new class, −1 = dropped, and drops what `keep` refuses.
template <class Keep>
void rewrite(Workshop& work, const std::vector<int>& numbers, const Keep& keep, bool drop_empty) {
  std::vector<Item> items;
  for (Item& item : work.content.items) {
    if (!item.annotations) {
      items.push_back(std::move(item));
      continue;
    }
    Annotations annotations = work.annotations(item);
    std::vector<Shape> kept;
    for (Shape& shape : annotations.shapes) {
      const auto place = static_cast<std::size_t>(shape.class_index);
      const int to = shape.is_box && place < numbers.size() ? numbers[place] : -1;
      if (!shape.is_box)
        ++work.counts["rows that are no labels, dropped"];
      else if (to < 0)
        ++work.counts["boxes of other classes, dropped"];
      else if (!keep(item, shape))
        ++work.counts["boxes that are too small, dropped"];
      else {
        shape.row = with_class(shape, annotations.yolo, to);
        kept.push_back(std::move(shape));
      }
    }
    const bool emptied = kept.empty();
    annotations.shapes = std::move(kept);
    item.annotations = work.keep_text(text_of(annotations));
    if (emptied && drop_empty)
      ++work.counts["images without a box, dropped"];
    else
      items.push_back(std::move(item));
  }
  work.content.items = std::move(items);
}

bool flag(const Value& step, const char* key) {
  const Value* value = step.find(key);
  return value != nullptr && value->boolean();
}

}  // namespace

void filter_step(const Value& step, Workshop& work) {
  require_keys(step, {"classes", "least_side", "drop_empty"});
  ClassList classes = work.content.classes;
  std::vector<int> numbers(classes.classes.size());
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int>(i);
  if (const Value* wanted = step.find("classes")) {
    if (!wanted->is_sequence() || wanted->sequence.empty())
      throw Error(fmt::format("{}: expected a list of classes", wanted->where()));
    std::fill(numbers.begin(), numbers.end(), -1);
    classes.classes.clear();
    for (const Value& name : wanted->sequence) {
      const int old = class_named(work.content.classes, name.text(), name);
      if (numbers[static_cast<std::size_t>(old)] >= 0)
        throw Error(fmt::format("{}: expected each class once, found '{}' twice", name.where(),
                                text::printable(name.text())));
      numbers[static_cast<std::size_t>(old)] = static_cast<int>(classes.classes.size());
      classes.classes.push_back(work.content.classes.classes[static_cast<std::size_t>(old)]);
    }
  }
  const double least = number_in(step, "least_side", 0, 0, 100'000);
  Digest looked_at{};
  PictureHeader header;
  const auto keep = [&](const Item& item, const Shape& shape) {
    if (least == 0) return true;
    if (looked_at != item.image || header.width == 0) {
      header = read_picture_header(file::read(work.image(item.image), DecodeLimits{}.file_bytes),
                                   item.path);
      looked_at = item.image;
    }
    return (shape.box.x2 - shape.box.x1) * header.width >= least &&
           (shape.box.y2 - shape.box.y1) * header.height >= least;
  };
  rewrite(work, numbers, keep, flag(step, "drop_empty"));
  work.content.classes = std::move(classes);
}

void remap_step(const Value& step, Workshop& work) {
  if (!step.is_mapping())
    throw Error(fmt::format("{}: expected a mapping from class to class", step.where()));
  const ClassList& before = work.content.classes;
  std::vector<std::string> names;
  for (const ClassList::Entry& one : before.classes) names.push_back(one.name);
  for (const auto& [from, to] : step.mapping)
    names[static_cast<std::size_t>(class_named(before, from, to))] = to.text();
  ClassList after = before;
  after.classes.clear();
  std::vector<int> numbers;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto known =
        std::find_if(after.classes.begin(), after.classes.end(),
                     [&](const ClassList::Entry& one) { return one.name == names[i]; });
    numbers.push_back(static_cast<int>(known - after.classes.begin()));
    if (known != after.classes.end()) continue;
    after.classes.push_back(before.classes[i]);
    after.classes.back().name = names[i];
  }
  rewrite(
      work, numbers, [](const Item&, const Shape&) { return true; }, false);
  work.content.classes = std::move(after);
}

namespace {

/// A number in 0 … 1 that is the same for a path for ever, so that other images change nothing.
double place_of(std::uint64_t seed, const std::string& path) {
  const Digest digest = sha256_digest(fmt::format("split {} {}", seed, path));
  std::uint64_t value = 0;
  for (int i = 0; i < 6; ++i) value = value << 8 | digest[static_cast<std::size_t>(i)];
  return static_cast<double>(value) / static_cast<double>(std::uint64_t{1} << 48);
}

}  // namespace

void split_step(const Value& step, Workshop& work) {
  require_keys(step, {"train", "val", "test"});
  const double train = number_in(step, "train", 0, 0, 100), val = number_in(step, "val", 0, 0, 100),
               test = number_in(step, "test", 0, 0, 100);
  if (std::abs(train + val + test - 100) > 1e-6)
    throw Error(fmt::format("{}: expected shares in percent with the sum 100, found {}",
                            step.where(), text::general(train + val + test)));
  std::vector<Item> items;
  for (Item& item : work.content.items) {
    if (!items.empty() && items.back().path == item.path) continue;  // of another split
    const double place = 100 * place_of(work.seed, work.origin(item.path));
    item.split = place < train ? "train" : place < train + val ? "val" : "test";
    items.push_back(std::move(item));
  }
  work.content.items = std::move(items);
}

}  // namespace yolov7::versions
