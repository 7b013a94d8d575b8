// What a pull found, as JSON.
#include <nlohmann/json.hpp>

#include "platforms/label_studio_pull.hpp"

namespace yolov7::platforms {
using nlohmann::json;

json to_json(const PullResult& result) {
  json review = json::array(), classes = json::object();
  for (const ReviewEntry& one : result.review)
    review.push_back({{"image", one.image},
                      {"task", one.task},
                      {"people", one.people},
                      {"agreement", one.agreement.count.value()},
                      {"mean_iou", one.agreement.count.mean_iou()},
                      {"disputed", one.agreement.disputed},
                      {"alone", one.agreement.alone},
                      {"reasons", one.reasons}});
  for (std::size_t i = 0; i < result.per_class.size(); ++i)
    if (result.per_class[i].boxes > 0)
      classes[result.class_names[i]] = {{"agreement", result.per_class[i].value()},
                                        {"mean_iou", result.per_class[i].mean_iou()},
                                        {"boxes_compared", result.per_class[i].boxes}};
  const Edits& edits = result.edits;
  return {{"project", {{"id", result.project.id}, {"title", result.project.title}}},
          {"tasks",
           {{"all", result.tasks},
            {"with_boxes", result.with_boxes},
            {"empty", result.empty},
            {"skipped", result.skipped},
            {"not_annotated", result.not_annotated}}},
          {"annotations_by", result.annotations_by},
          {"agreement", {{"per_class", classes}, {"review", review}}},
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
