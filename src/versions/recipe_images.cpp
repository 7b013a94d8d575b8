// Steps of recipes on images. What they make is PNG, so that nothing is lost on the way.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <set>

#include "core/error.hpp"
#include "core/progress.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "dataset/index/index.hpp"
#include "dataset/loading/augmented_set.hpp"
#include "image/codec/codec.hpp"
#include "versions/recipe_steps.hpp"

namespace yolov7::versions {
namespace fs = std::filesystem;
namespace {

std::vector<Annotations> all_rows(Workshop& work) {
  std::vector<Annotations> rows;
  for (const Item& item : work.content.items) rows.push_back(work.rows(item));
  return rows;
}

/// What becomes of one image.
struct Result {
  Item item;
  std::string labels;  ///< annotation text; "" where the image is not annotated
};

/// What stands at a path: one image with one set of annotations, in several splits perhaps.
struct Placed {
  Digest image{};
  std::optional<Digest> annotations;
  std::set<std::string> splits;
};

/// Whether the item can have its path; it has it then.
bool take_path(std::map<std::string, Placed>& paths, const Item& item) {
  Placed& placed =
      paths.try_emplace(item.path, Placed{item.image, item.annotations, {}}).first->second;
  return placed.image == item.image && placed.annotations == item.annotations &&
         placed.splits.insert(item.split).second;
}

/// Runs `make` for each item in parallel; the results take the place of the items.
template <class Make>
void replace_images(Workshop& work, const char* what, const std::vector<Annotations>& rows,
                    const Make& make) {
  const std::vector<Item> items = std::move(work.content.items);
  std::vector<std::vector<Result>> results(items.size());
  Progress progress(what, items.size(), "images");
  parallel_for(items.size(), work.threads(), [&](std::size_t i) {
    check_stop(work.stop());
    results[i] = make(i, items[i], rows[i]);
    progress.advance();
  });
  work.content.items.clear();
  std::map<std::string, Placed> paths;
  const std::map<std::string, std::string> before = std::move(work.origins);
  work.origins.clear();
  for (std::size_t i = 0; i < results.size(); ++i)
    for (Result& one : results[i]) {
      const fs::path path(one.item.path);
      if (!one.labels.empty()) one.item.annotations = work.keep_text(std::move(one.labels));
      for (int k = 2; !take_path(paths, one.item); ++k)
        one.item.path = (path.parent_path() /
                         fmt::format("{}_{}{}", path.stem().string(), k, path.extension().string()))
                            .generic_string();
      const auto known = before.find(items[i].path);
      work.origins[one.item.path] = known == before.end() ? items[i].path : known->second;
      work.content.items.push_back(std::move(one.item));
    }
}

std::string with_suffix(const std::string& path, const std::string& suffix) {
  const fs::path whole(path);
  return (whole.parent_path() / (whole.stem().string() + suffix + ".png")).generic_string();
}

std::string labels_text(const Item& item, const Annotations& rows) {
  return item.annotations ? text_of_labels(labels_of_text(text_of(rows))).text : std::string();
}

}  // namespace

void resize_step(const Value& step, Workshop& work) {
  require_keys(step, {"side", "width", "height"});
  const int side = whole_in(step, "side", 0, 1, 65'535),
            width = whole_in(step, "width", 0, 1, 65'535),
            height = whole_in(step, "height", 0, 1, 65'535);
  if ((side > 0) == (width > 0 && height > 0))
    throw Error(
        fmt::format("{}: expected side (of the longer one), or width and height", step.where()));
  replace_images(
      work, "resizing", all_rows(work),
      [&](std::size_t, const Item& item, const Annotations& rows) {
        const cv::Mat picture = read_picture(work.image(item.image));
        cv::Size size(width, height);
        if (side > 0) {
          const double ratio = static_cast<double>(side) / std::max(picture.cols, picture.rows);
          size = {std::max(1, static_cast<int>(std::lround(picture.cols * ratio))),
                  std::max(1, static_cast<int>(std::lround(picture.rows * ratio)))};
        }
        cv::Mat resized;
        cv::resize(picture, resized, size, 0, 0,
                   size.area() < picture.size().area() ? cv::INTER_AREA : cv::INTER_LINEAR_EXACT);
        Result result{item, labels_text(item, rows)};  // fractions stay as they are
        result.item.path = with_suffix(item.path, "");
        result.item.image = work.keep_image(encode_png(resized));
        return std::vector<Result>{std::move(result)};
      });
}

namespace {

struct TileRule {
  int size = 0;
  double overlap = 0, least_part = 0;
};

/// Where tiles begin along one side: as far apart as the overlap allows, the last one at the end.
std::vector<int> tile_starts(int length, const TileRule& rule) {
  if (length <= rule.size) return {0};
  const int stride = std::max(1, static_cast<int>(std::lround(rule.size * (1 - rule.overlap))));
  std::vector<int> starts;
  for (int at = 0; at + rule.size < length; at += stride) starts.push_back(at);
  starts.push_back(length - rule.size);
  return starts;
}

struct KeyPointRule {
  int values = 0;                        ///< numbers of each key point, 2 or 3; 0 = none
  std::atomic<std::size_t> outside = 0;  ///< labelled ones, outside of the tile that has their box
};

/// The key points of a row, in fractions of a tile. Those outside of it are not labelled there: all
/// of their numbers are 0, as of those that nobody labelled (data 3.4).
std::string tile_points(const Shape& shape, cv::Size picture, const cv::Rect& tile,
                        KeyPointRule& rule) {
  constexpr std::size_t box_columns = 5;
  std::string text;
  if (rule.values == 0) return text;
  const auto columns = text::split_blank(shape.row);
  const auto values = static_cast<std::size_t>(rule.values);
  for (std::size_t i = box_columns; i + values <= columns.size(); i += values) {
    const double x = text::parse_double(columns[i]).value_or(0) * picture.width - tile.x,
                 y = text::parse_double(columns[i + 1]).value_or(0) * picture.height - tile.y;
    const auto mark = values == 3 ? text::parse_double(columns[i + 2]).value_or(0) : 2.0;
    const bool labelled = values == 3 ? mark != 0 : x != -tile.x || y != -tile.y,
               inside = x >= 0 && x <= tile.width && y >= 0 && y <= tile.height;
    rule.outside += labelled && !inside ? 1 : 0;
    const bool kept = labelled && inside;
    text += fmt::format(" {} {}", kept ? x / tile.width : 0.0, kept ? y / tile.height : 0.0);
    if (values == 3) text += fmt::format(" {}", kept ? mark : 0.0);
  }
  return text;
}

/// The rows that a tile keeps: boxes cut at its edges, in its fractions. Those are marked in
/// `kept`, which has a place for each shape.
std::string tile_rows(const Annotations& rows, cv::Size picture, const cv::Rect& tile,
                      double least_part, KeyPointRule& points, std::vector<bool>& kept) {
  std::string text;
  for (std::size_t i = 0; i < rows.shapes.size(); ++i) {
    const Shape& shape = rows.shapes[i];
    if (!shape.is_box) continue;
    const double x1 = shape.box.x1 * picture.width, y1 = shape.box.y1 * picture.height,
                 x2 = shape.box.x2 * picture.width, y2 = shape.box.y2 * picture.height;
    const double left = std::max(x1, static_cast<double>(tile.x)),
                 top = std::max(y1, static_cast<double>(tile.y)),
                 right = std::min(x2, static_cast<double>(tile.x + tile.width)),
                 bottom = std::min(y2, static_cast<double>(tile.y + tile.height));
    if (right <= left || bottom <= top) continue;
    if ((right - left) * (bottom - top) < least_part * (x2 - x1) * (y2 - y1)) continue;
    kept[i] = true;
    text += fmt::format("{} {} {} {} {}{}\n", shape.class_index,
                        ((left + right) / 2 - tile.x) / tile.width,
                        ((top + bottom) / 2 - tile.y) / tile.height, (right - left) / tile.width,
                        (bottom - top) / tile.height, tile_points(shape, picture, tile, points));
  }
  return text;
}

/// Their places after a turn are not computed, and nothing says which of them a flip exchanges.
void require_no_key_points(const Value& step, const Workshop& work) {
  if (work.key_point_columns() > 0)
    throw Error(fmt::format("{}: expected a data set without key points (kpt_shape) for this step",
                            step.where()));
}

/// What tiles do not keep.
void count_losses(Workshop& work) {
  for (const Item& item : work.content.items) {
    const Annotations annotations = work.annotations(item);
    for (const Shape& shape : annotations.shapes) {
      const bool polygon = annotations.yolo && work.key_point_columns() == 0 &&
                           text::split_blank(shape.row).size() > 5;
      if (!shape.is_box) ++work.counts["rows that are no labels, dropped"];
      if (shape.is_box && polygon) ++work.counts["polygons of which the box is kept"];
    }
  }
}

}  // namespace

void tile_step(const Value& step, Workshop& work) {
  require_keys(step, {"size", "overlap", "least_part"});
  const TileRule rule{whole_in(step, "size", 0, 16, 65'535),
                      number_in(step, "overlap", 0.2, 0, 0.9),
                      number_in(step, "least_part", 0.5, 0, 1)};
  if (rule.size == 0) throw Error(fmt::format("{}: expected size in pixels", step.where()));
  const std::vector<Annotations> boxes = all_rows(work);
  count_losses(work);
  KeyPointRule points;
  if (work.key_point_columns() > 0) points.values = work.content.classes.key_point_values;
  std::atomic<std::size_t> nowhere = 0;  // boxes that no tile keeps
  replace_images(work, "tiling", boxes,
                 [&](std::size_t, const Item& item, const Annotations& rows) {
                   const cv::Mat picture = read_picture(work.image(item.image));
                   std::vector<Result> results;
                   std::vector<bool> kept(rows.shapes.size());
                   for (const int y : tile_starts(picture.rows, rule))
                     for (const int x : tile_starts(picture.cols, rule)) {
                       const cv::Rect place(x, y, std::min(rule.size, picture.cols),
                                            std::min(rule.size, picture.rows));
                       Result result{item, {}};
                       result.item.path = with_suffix(item.path, fmt::format("_x{}_y{}", x, y));
                       result.item.image = work.keep_image(encode_png(picture(place).clone()));
                       if (item.annotations)
                         result.labels = text_of_labels(tile_rows(rows, picture.size(), place,
                                                                  rule.least_part, points, kept))
                                             .text;
                       results.push_back(std::move(result));
                     }
                   for (std::size_t i = 0; i < kept.size() && item.annotations; ++i)
                     nowhere += rows.shapes[i].is_box && !kept[i] ? 1 : 0;
                   return results;
                 });
  if (nowhere > 0) work.counts["boxes of which no tile has enough, dropped"] += nowhere;
  if (points.outside > 0)
    work.counts["key points outside of their tile, not labelled there"] += points.outside;
}

void augment_step(const Value& step, Workshop& work) {
  require_keys(step, {"times", "transforms"});
  const int times = whole_in(step, "times", 1, 1, 1000);
  const dataset::AugmentList list = dataset::AugmentList::parse(step.at("transforms"));
  const std::vector<Annotations> boxes = all_rows(work);
  require_no_key_points(step, work);
  dataset::Index index;
  std::vector<std::size_t> entries(work.content.items.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Item& item = work.content.items[i];
    if (item.split != "train") continue;
    entries[i] = index.entries.size();
    dataset::Entry entry;
    entry.picture = work.image(item.image);
    entry.labels =
        dataset::try_parse_labels(labels_of_text(text_of(boxes[i])), item.path, 0).labels;
    index.entries.push_back(std::move(entry));
  }
  for (const ClassList::Entry& one : work.content.classes.classes) index.names.push_back(one.name);
  replace_images(work, "augmenting", boxes,
                 [&](std::size_t i, const Item& item, const Annotations&) {
                   std::vector<Result> results{{item, {}}};  // with its own annotations
                   if (item.split != "train" || !item.annotations) return results;
                   for (int version = 1; version <= times; ++version) {
                     const dataset::AugmentedSample made =
                         dataset::augmented(index, entries[i], list, work.seed, version);
                     std::vector<dataset::Label> labels;
                     for (const dataset::Object& object : made.sample.objects)
                       labels.push_back(dataset::to_label(object, made.sample.picture.size()));
                     Result result{item, text_of_labels(dataset::format_labels(labels)).text};
                     result.item.path = with_suffix(item.path, fmt::format("_aug{}", version));
                     result.item.image = work.keep_image(encode_png(made.sample.picture));
                     results.push_back(std::move(result));
                   }
                   return results;
                 });
}

}  // namespace yolov7::versions
