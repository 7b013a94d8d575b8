#pragma once
// An object that is cut out of its image, to be pasted into another one (docs/synthetic.md).
#include <cstddef>
#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "dataset/index/label.hpp"
#include "image/boxes/box.hpp"

namespace yolov7::dataset {

/// By what an object is told from its background. whole_box: all of its box is pasted.
enum class CutBy { polygon, grabcut, whole_box };
const char* cut_word(CutBy by);

struct Cutout {
  int class_index = 0;
  cv::Mat picture;                   ///< 8-bit B G R: the box and a margin of background
  cv::Mat1b mask;                    ///< 255 on the object, the size of the picture
  Xyxy box;                          ///< as it is labelled, in pixels of the picture
  std::vector<cv::Point2d> polygon;  ///< the same; empty where the label has none
  CutBy by = CutBy::whole_box;
  int image_side = 0;  ///< longer side of the image that it comes from, px
};

/// `wanted`: "auto" takes the polygon where there is one, else GrabCut (Rother, Kolmogorov and
/// Blake, SIGGRAPH 2004), and the whole box where that fails (plausible_mask()). "polygon",
/// "grabcut" and "box" take that alone. False, and nothing in `cutout`: it cannot be cut that way.
bool cut_out(const cv::Mat& image, const Label& label, const std::string& wanted, Cutout& cutout);

/// Whether a mask may be the object of this box: it fills 20 to 97 % of the box and reaches over at
/// least 80 % of both of its sides. What covers the whole box told nothing apart.
bool plausible_mask(const cv::Mat1b& mask, const Xyxy& box);

}  // namespace yolov7::dataset
