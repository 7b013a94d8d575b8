// What a pull found, as JSON.
#include <nlohmann/json.hpp>

#include "platforms/label_studio_pull.hpp"

namespace yolov7::platforms {
using nlohmann::json;
namespace {

/// Of the classes that occur.
json per_class_json(const std::vector<AgreementCount>& counts,
                    const std::vector<std::string>& names) {
  json classes = json::object();
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (counts[i].boxes > 0)
      classes[names[i]] = {{"agreement", counts[i].value()},
                           {"mean_iou", counts[i].mean_iou()},
                           {"boxes_compared", counts[i].boxes}};
  return classes;
}

}  // namespace

json to_json(const PullResult& result) {
  json review = json::array();
  for (const ReviewEntry& one : result.review)
    review.push_back({{"image", one.image},
                      {"task", one.task},
                      {"people", one.people},
                      {"agreement", one.agreement.count.value()},
                      {"mean_iou", one.agreement.count.mean_iou()},
                      {"per_class", per_class_json(one.per_class, result.class_names)},
                      {"disputed", one.agreement.disputed},
                      {"alone", one.agreement.alone},
                      {"reasons", one.reasons}});
  const Edits& edits = result.edits;
  return {
      {"project", {{"id", result.project.id}, {"title", result.project.title}}},
      {"tasks",
       {{"all", result.tasks},
        {"with_boxes", result.with_boxes},
        {"empty", result.empty},
        {"skipped", result.skipped},
        {"not_annotated", result.not_annotated}}},
      {"annotations_by", result.annotations_by},
      {"agreement",
       {{"per_class", per_class_json(result.per_class, result.class_names)}, {"review", review}}},
      {"pre_labels",
       {{"kept", edits.kept},
        {"moved", edits.moved},
        {"relabelled", edits.relabelled},
        {"removed", edits.removed},
        {"added", edits.added},
        {"share_touched", edits.touched()}}},
      {"images", {{"here", result.images_here}, {"fetched", result.images_fetched}}},
      {"boxes_left_out_by_merge", result.left_out_by_merge},
      {"conversion", dataset::to_json(result.conversion)}};
}

}  // namespace yolov7::platforms
