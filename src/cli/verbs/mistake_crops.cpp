#include "cli/verbs/mistake_crops.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "image/codec/codec.hpp"
#include "monitoring/html_page.hpp"

namespace yolov7::cli {
namespace {

using dataset::doctor::Mistake;

/// The box and the prediction with as much around them, within the image; a pixel of it where both
/// lie outside.
cv::Rect surroundings(const Mistake& one, const cv::Size& size) {
  Xyxy all = one.box;
  if (one.prediction.area() > 0)
    all = {std::min(all.x1, one.prediction.x1), std::min(all.y1, one.prediction.y1),
           std::max(all.x2, one.prediction.x2), std::max(all.y2, one.prediction.y2)};
  const double margin = std::max({16.0, all.width(), all.height()}) / 2;
  const Xyxy cut = clip({all.x1 - margin, all.y1 - margin, all.x2 + margin, all.y2 + margin},
                        size.width, size.height);
  const int x = std::min(static_cast<int>(cut.x1), size.width - 1),
            y = std::min(static_cast<int>(cut.y1), size.height - 1);
  return {x, y, std::clamp(static_cast<int>(cut.width()), 1, size.width - x),
          std::clamp(static_cast<int>(cut.height()), 1, size.height - y)};
}

std::string crop_of(const Mistake& one) {
  constexpr int side = 240, quality = 85;
  const cv::Mat image = read_picture(one.image);
  const cv::Rect area = surroundings(one, image.size());
  const double scale = static_cast<double>(side) / std::max(area.width, area.height);
  cv::Mat crop;
  cv::resize(image(area), crop,
             cv::Size(std::max(1, static_cast<int>(area.width * scale)),
                      std::max(1, static_cast<int>(area.height * scale))),
             0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
  const auto draw = [&](const Xyxy& box, const cv::Scalar& colour) {
    if (box.area() <= 0) return;
    // Labels may be pixels for fractions: far outside of the crop one place is like another.
    const auto point = [&](double x, double y) {
      constexpr double beside = 10;
      return cv::Point(
          static_cast<int>(std::clamp((x - area.x) * scale, -beside, crop.cols + beside)),
          static_cast<int>(std::clamp((y - area.y) * scale, -beside, crop.rows + beside)));
    };
    cv::rectangle(crop, point(box.x1, box.y1), point(box.x2, box.y2), colour, 2);
  };
  if (one.kind != Mistake::Kind::missing) draw(one.box, {0, 180, 0});
  draw(one.prediction, {0, 0, 230});
  return monitoring::base64(encode_jpeg(crop, quality));
}

std::string class_text(int c, const std::vector<std::string>& names) {
  return c >= 0 && static_cast<std::size_t>(c) < names.size() ? names[static_cast<std::size_t>(c)]
                                                              : "?";
}

std::string text_of(const Mistake& one, const std::vector<std::string>& names) {
  const std::string place =
      one.line > 0 ? fmt::format("{}:{}", one.label.string(), one.line) : one.image.string();
  switch (one.kind) {
    case Mistake::Kind::missing:
      return fmt::format("{}: a {} at {:.0f}, {:.0f} px ({:.2f})", place,
                         class_text(one.suggested, names), (one.box.x1 + one.box.x2) / 2,
                         (one.box.y1 + one.box.y2) / 2, one.score);
    case Mistake::Kind::wrong_class:
      return fmt::format("{}: {}, rather {} ({:.2f})", place, class_text(one.given, names),
                         class_text(one.suggested, names), one.score);
    default: return fmt::format("{}: {} ({:.2f})", place, class_text(one.given, names), one.score);
  }
}

}  // namespace

nlohmann::json mistakes_json(const std::vector<Mistake>& mistakes,
                             const std::vector<std::string>& names, std::size_t crops) {
  nlohmann::json list = nlohmann::json::array();
  for (const Mistake& one : mistakes) {
    list.push_back(to_json(one, names));
    if (list.size() <= crops) list.back()["crop"] = crop_of(one);
  }
  return list;
}

std::vector<std::string> mistake_lines(const std::vector<Mistake>& mistakes,
                                       const std::vector<std::string>& names, std::size_t most) {
  std::map<Mistake::Kind, std::vector<const Mistake*>> kinds;
  for (const Mistake& one : mistakes) kinds[one.kind].push_back(&one);
  std::vector<std::string> lines;
  for (const auto& [kind, list] : kinds) {
    lines.push_back(
        fmt::format("label mistakes, {}: {}, likeliest first", name_of(kind), list.size()));
    for (std::size_t i = 0; i < std::min(most, list.size()); ++i)
      lines.push_back("  " + text_of(*list[i], names));
  }
  return lines;
}

}  // namespace yolov7::cli
