#include "dataset/doctor/advice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "dataset/doctor/assignment.hpp"

namespace yolov7::dataset::doctor {
namespace {

struct Side {
  double short_side;  ///< of the box, over the long side of its image
  double image_px;    ///< long side of the image
};

std::vector<Side> sides_of(const Subject& subject) {
  std::vector<Side> sides;
  for (const Split& split : subject.splits)
    for (const Entry& entry : split.index.entries) {
      const double longest = std::max(entry.width, entry.height);
      for (const Label& label : entry.labels)
        sides.push_back(
            {std::min(label.box.w * entry.width, label.box.h * entry.height) / longest, longest});
    }
  return sides;
}

/// Share of the boxes whose shorter side is below `px` at a training size.
double share_below(const std::vector<Side>& sides, double px, double image_size) {
  const auto below = std::count_if(sides.begin(), sides.end(), [&](const Side& side) {
    return side.short_side * image_size < px;
  });
  return static_cast<double>(below) / static_cast<double>(sides.size());
}

// A cell of the finest level is 8 px; below that several objects share a cell.
constexpr double least_px = 8, few = 0.05;

Advice on_image_size(const std::vector<Side>& sides, int image_size) {
  const double now = share_below(sides, least_px, image_size);
  std::string text = fmt::format("at {} px {:.1f} % of the boxes have a side below {} px",
                                 image_size, 100 * now, least_px);
  if (now <= few) {
    int smaller = image_size;
    for (const int size : {960, 640, 512, 416, 320})
      if (size < image_size && share_below(sides, least_px, size) <= few / 5) smaller = size;
    if (smaller == image_size) return {"image size", text + ": it fits"};
    return {"image size",
            fmt::format("{}; --img-size {} would leave {:.1f} % and costs {:.2f} of the work", text,
                        smaller, 100 * share_below(sides, least_px, smaller),
                        std::pow(static_cast<double>(smaller) / image_size, 2))};
  }
  for (const int size : {640, 768, 960, 1280, 1536, 1920})
    if (size > image_size && (share_below(sides, least_px, size) <= few || size == 1920)) {
      return {"image size",
              fmt::format("{}; --img-size {} leaves {:.1f} %, for {:.1f} times the work", text,
                          size, 100 * share_below(sides, least_px, size),
                          std::pow(static_cast<double>(size) / image_size, 2))};
    }
  return {"image size", text};
}

Advice on_anchors(const Subject& subject, const std::optional<Assignment>& assignment) {
  if (!assignment) return {"anchors", "no network was named"};
  const ReachCounts& all = assignment->all;
  const std::string now = fmt::format(
      "with the anchors of {} {} of {} boxes are never assigned "
      "and {} at less than half of the scales",
      assignment->network, all.never, all.boxes, all.seldom);
  if (all.never + all.seldom == 0) return {"anchors", now + ": they fit"};
  for (const Cure& cure : assignment->cures)
    if (!subject.network->fitted.empty() && cure.text.starts_with("anchors"))
      return {"anchors", fmt::format("{}; anchors searched for this set (yolov7 anchors) leave {} "
                                     "and {}",
                                     now, cure.never, cure.seldom)};
  return {"anchors", now};
}

Advice on_levels(const std::vector<Side>& sides, int image_size) {
  constexpr double most_px = 512;
  const double small = share_below(sides, least_px, image_size),
               large = 1 - share_below(sides, most_px, image_size);
  const std::string numbers =
      fmt::format("{:.1f} % of the boxes have a side below {} px, {:.1f} % have both above {} px",
                  100 * small, least_px, 100 * large, most_px);
  if (small > few) return {"levels", numbers + ": a finer level (P2, stride 4) would see them"};
  if (large > few)
    return {"levels", numbers + ": a coarser level (P6, stride 64) would see them whole"};
  return {"levels", numbers + ": P3 to P5 fit"};
}

Advice on_tiles(const std::vector<Side>& sides, int image_size) {
  std::vector<double> longest;
  for (const Side& side : sides) longest.push_back(side.image_px);
  const auto middle = longest.begin() + static_cast<std::ptrdiff_t>(longest.size() / 2);
  std::nth_element(longest.begin(), middle, longest.end());
  const double reduced = *middle / image_size, small = share_below(sides, least_px, image_size);
  const std::string now =
      fmt::format("images are reduced by {:.1f} (median over the boxes)", reduced);
  if (reduced < 2 || small <= few) return {"tiles", now + ": tiles would gain little"};
  const int tiles = static_cast<int>(std::min(8.0, std::floor(reduced)));
  return {"tiles",
          fmt::format("{}; in {} x {} tiles {:.1f} % instead of {:.1f} % of the boxes have a side "
                      "below {} px",
                      now, tiles, tiles,
                      100 * share_below(sides, least_px, image_size * static_cast<double>(tiles)),
                      100 * small, least_px)};
}

Advice on_classes(const Subject& subject) {
  // Splits stand in the order train, val, test.
  const Split& train = subject.splits.front();
  if (train.name != "train") return {"class weights", "the set has no train split"};
  const std::vector<std::size_t> boxes = train.index.class_histogram();
  const std::vector<double> weights = class_weights(boxes);
  const auto [least, most] = std::minmax_element(boxes.begin(), boxes.end());
  if (boxes.size() < 2) return {"class weights", "one class: none are needed"};
  std::string text =
      fmt::format("the most frequent class has {} boxes in train, the rarest {}", *most, *least);
  constexpr std::size_t balanced = 5;
  if (*most <= balanced * std::max<std::size_t>(1, *least))
    return {"class weights", text + ": balanced enough without"};
  text += "; by the effective number of samples:";
  for (std::size_t i = 0; i < weights.size(); ++i)
    text += fmt::format("{} {} {:.2f}", i == 0 ? "" : ",", train.index.names[i], weights[i]);
  return {"class weights", text};
}

}  // namespace

std::vector<double> class_weights(const std::vector<std::size_t>& boxes) {
  constexpr double beta = 0.999;
  std::vector<double> weights(boxes.size());
  double sum = 0, classes = 0;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    if (boxes[i] == 0) continue;
    weights[i] = (1 - beta) / (1 - std::pow(beta, static_cast<double>(boxes[i])));
    sum += weights[i], ++classes;
  }
  for (double& weight : weights) weight = sum > 0 ? weight * classes / sum : 0;
  return weights;
}

std::vector<Advice> advice_on(const Subject& subject) {
  constexpr int usual_size = 640;
  const std::vector<Side> sides = sides_of(subject);
  if (sides.empty()) return {{"image size", "the set has no box"}};
  const int image_size = subject.network ? subject.network->image_size : usual_size;
  return {on_image_size(sides, image_size), on_anchors(subject, assignment_of(subject)),
          on_levels(sides, image_size), on_tiles(sides, image_size), on_classes(subject)};
}

nlohmann::json to_json(const std::vector<Advice>& advice) {
  nlohmann::json result = nlohmann::json::array();
  for (const Advice& one : advice) result.push_back({{"topic", one.topic}, {"text", one.text}});
  return result;
}

}  // namespace yolov7::dataset::doctor
