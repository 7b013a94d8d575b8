// Boxes that the network of this training cannot learn at this size (data-services D1).
#include <fmt/format.h>

#include <algorithm>

#include "dataset/doctor/assignment.hpp"
#include "dataset/doctor/checks.hpp"

namespace yolov7::dataset::doctor {
namespace {

const char* check_of(Obstacle obstacle) {
  switch (obstacle) {
    case Obstacle::too_thin: return "thin-box";
    case Obstacle::too_tiny: return "tiny-box";
    default: return "unassignable-box";
  }
}

const char* cause_of(Obstacle obstacle) {
  switch (obstacle) {
    case Obstacle::none: return "";
    case Obstacle::too_thin: return "sides of 20 to 1 or more";
    case Obstacle::too_tiny: return "a side of 2 px or less";
    case Obstacle::too_small: return "too small for the anchors";
    case Obstacle::too_large: return "too large for the anchors";
    case Obstacle::too_long: return "of another shape than the anchors";
  }
  return "";
}

/// The lines of one obstacle in one file make one finding.
void look_at_file(const Split& split, const Picture& picture, const NetworkRule& rule,
                  Findings& findings) {
  const double scale =
      static_cast<double>(rule.image_size) / std::max(picture.facts.width, picture.facts.height);
  std::vector<std::pair<Obstacle, std::size_t>> told;
  for (const RawRow& row : picture.rows) {
    const auto box = extent(row);
    if (!box || box->w <= 0 || box->h <= 0) continue;
    const double w = box->w * picture.facts.width * scale,
                 h = box->h * picture.facts.height * scale;
    Obstacle obstacle = reach_of(w, h, rule).obstacle;
    if (std::min(w, h) <= least_side_px && obstacle != Obstacle::too_thin)
      obstacle = Obstacle::too_tiny;
    if (obstacle == Obstacle::none) continue;
    const auto found = std::find_if(told.begin(), told.end(),
                                    [&](const auto& one) { return one.first == obstacle; });
    if (found != told.end()) {
      findings.list[found->second].lines.push_back(row.line);
      continue;
    }
    Finding& finding = findings.add(
        check_of(obstacle), split.name, picture.label,
        fmt::format("{:.1f} x {:.1f} px at a training size of {} px", w, h, rule.image_size));
    finding.line = row.line;
    finding.lines.push_back(row.line);
    finding.image = picture.file;
    finding.cause = cause_of(obstacle);
    told.emplace_back(obstacle, findings.list.size() - 1);
  }
}

void find_by_network(const Context& context, Findings& findings) {
  if (!context.subject.network) return;
  for (const Split& split : context.subject.splits)
    for (const Picture& picture : split.pictures)
      if (picture.usable() && !context.causes.files.contains(&picture))
        look_at_file(split, picture, *context.subject.network, findings);
}

}  // namespace

Family network_family() {
  return {"Network",
          {{"thin-box", "sides of 20 to 1 or more: the training transform drops the box"},
           {"tiny-box", "a side of 2 px or less at the training size: the transform drops the box"},
           {"unassignable-box",
            "no anchor of this network takes the box at any scale of the training transform"}},
          find_by_network};
}

}  // namespace yolov7::dataset::doctor
