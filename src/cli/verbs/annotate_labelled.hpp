#pragma once
// What teachers find on images that people have labelled, and how much of it is right.
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "active/machine_labels.hpp"
#include "cli/verbs/active_pool.hpp"
#include "cli/verbs/annotate_classes.hpp"
#include "dataset/index/index.hpp"

namespace yolov7::cli {

/// The split that thresholds are chosen on. Errors: those of open_data() and read_index(); no
/// image with a label file.
struct LabelledSplit {
  std::vector<std::string> names;
  dataset::Index index;                   ///< images that people have looked at alone
  std::size_t unlabelled = 0;             ///< images of the split without labels: not looked at
  bool val_is_train = false;              ///< the set has no val split of its own
  std::set<std::filesystem::path> paths;  ///< canonical, of the labelled images of every split
};
LabelledSplit read_labelled_split(const std::string& data, const std::string& split);

struct LabelledLook {
  std::vector<active::Outcome> outcomes;  ///< of all images, by image in descending score
  std::vector<std::size_t> objects;       ///< labelled ones, by class
  struct Image {
    std::vector<Detection> detections;  ///< classes of the labels
    std::vector<bool> correct;          ///< of each detection: IoU above .5 with an object
    std::size_t objects = 0;
  };
  std::vector<Image> images;
  std::vector<std::string> unreadable;
};
LabelledLook look_at_labelled(const LabelledSplit& split, const AnnotateClasses& classes,
                              const Workers& workers, const PoolOptions& options);

/// What the complete images of a labelled part would get as labels.
struct CompleteImages {
  std::size_t images = 0, complete = 0, doubtful = 0, empty = 0;
  std::size_t labels = 0, correct = 0, objects = 0;  ///< in complete images
  std::size_t objects_in_empty = 0;                  ///< that nothing was found of
};
CompleteImages judge_labelled(const LabelledLook& look, const std::vector<active::ClassRule>& rules,
                              const active::DoubtOptions& options);

}  // namespace yolov7::cli
