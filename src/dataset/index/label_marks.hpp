#pragma once
// What a data set says about labels beside class and box, and what training makes of it (training
// 23): labels of a network with their confidence, regions that count as nothing, drawn images.
#include <cstddef>
#include <string>
#include <vector>

#include "dataset/index/label.hpp"

namespace yolov7::dataset {

struct LabelMark {
  bool machine = false;  ///< a network made the label
  float score = 1;       ///< its confidence, 0 … 1; 1 where the mark has none
  bool operator==(const LabelMark&) const = default;
};

/// A region that is neither object nor background.
struct RegionMark {
  CxcywhNormalized box;
  bool machine = false;  ///< a network found it and was not sure; else a crowd or ignored region
  bool operator==(const RegionMark&) const = default;
};

struct ImageMarks {
  std::vector<LabelMark> labels;  ///< one a label; empty: all are people's
  std::vector<RegionMark> regions;
  bool drawn = false;  ///< `dataset synth --from` drew the image
  bool operator==(const ImageMarks&) const = default;
};
/// Of a split.
struct SetMarks {
  std::vector<ImageMarks> images;  ///< one an entry of the index
  std::vector<Problem> problems;   ///< marks that could not be used
};

/// How labels and regions count in the loss.
struct MarkRule {
  bool by_confidence = false;  ///< a machine label weighs as much as its confidence; else 1
  bool machine_regions = true, other_regions = false;  ///< which regions are ignored
};

/// What of the marks of an image the loss sees.
struct LabelWeights {
  std::vector<float> weights;             ///< one a label; empty: all 1
  std::vector<CxcywhNormalized> ignored;  ///< predictions here are no background
};
LabelWeights weights_of(const ImageMarks& marks, const MarkRule& rule);

/// For people.
struct MarkCounts {
  std::size_t machine = 0;  ///< machine labels …
  double mean_weight = 0;   ///< … and their mean weight
  std::size_t ignored = 0;  ///< regions that are ignored
  std::size_t unused = 0;   ///< regions that the rule leaves out: background
  std::size_t images = 0;   ///< images with a machine label or an ignored region
  std::size_t drawn = 0;    ///< drawn images
};
MarkCounts count_marks(const SetMarks& marks, const MarkRule& rule);

/// Hash over all of a split, in order; "" where all labels weigh 1 and nothing is ignored.
std::string identity(const std::vector<LabelWeights>& weights);

}  // namespace yolov7::dataset
