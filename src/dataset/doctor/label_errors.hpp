#pragma once
// Labels that a network's predictions speak against: missing, of the wrong class, badly placed,
// doubled, without support. The network must not have been trained on the images that it judges
// (data-services D3).
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "dataset/doctor/subject.hpp"

namespace yolov7::dataset::doctor {

/// By image path; boxes in pixels of the image.
using Predictions = std::unordered_map<std::string, std::vector<Detection>>;

/// Results in COCO's JSON form, as `val --save-json` writes them: category_id is the class number,
/// or the one that `category_ids` has for the class; image_id is the stem of the image's name, or
/// its number where the stem is one. Errors: not that form; a score outside 0 … 1; a class that
/// data.yaml does not have; an image that the set does not have, or has under two names.
Predictions read_predictions(const std::filesystem::path& file, const Subject& subject,
                             const std::vector<std::int64_t>& category_ids = {});

struct Mistake {
  enum class Kind { missing, wrong_class, bad_place, doubled, unsupported };
  Kind kind = Kind::missing;
  std::string split;
  std::filesystem::path image, label;
  int line = 0;                    ///< of the label file; 0 for a missing label
  int given = -1, suggested = -1;  ///< classes
  Xyxy box;                        ///< the label, or the prediction for a missing one
  Xyxy prediction;                 ///< the one that speaks against it; without area = none
  double score = 0;                ///< 0 … 1, the larger the likelier a mistake
};
std::string_view name_of(Mistake::Kind kind);

/// How labels are ranked.
enum class Ranking {
  joint,  ///< labels and predictions are matched first, and each kind has a score of its own
  plain   ///< 1 - IoU · p of the best prediction of the label's class; p · (1 - IoU) for missing
          ///< ones
};

/// Of images that have predictions; sorted by score, highest first. Equal ones stand in the order
/// of splits and images, and those of one image as they are found. Scores below `least` are left
/// out.
std::vector<Mistake> find_mistakes(const Subject& subject, const Predictions& predictions,
                                   Ranking ranking = Ranking::joint, double least = 0.3);

nlohmann::json to_json(const Mistake& mistake, const std::vector<std::string>& names);

}  // namespace yolov7::dataset::doctor
