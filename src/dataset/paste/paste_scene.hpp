#pragma once
// An image into which objects are pasted, and what of each object can still be seen.
#include <cstddef>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "dataset/paste/cutout.hpp"

namespace yolov7::dataset {

/// How an object becomes part of the image.
struct PasteLook {
  double scale = 1;    ///< of the cutout
  double feather = 1;  ///< σ of the seam, px
  bool match_light = true;
  double blur = 0;  ///< σ, px; 0 = none
};

/// What is left of an object.
struct SeenObject {
  Label label;             ///< box (and polygon) of the visible part
  double visible = 1;      ///< share of its area
  std::size_t pasted = 0;  ///< 0 = it was in the image; else the number of the paste, from 1
  bool box_only = false;   ///< it had a polygon, and a part of it is covered
};

class PasteScene {
 public:
  /// `labels`: those of the image. Its pixels are changed in place.
  PasteScene(cv::Mat image, const std::vector<Label>& labels);

  /// The least visible share that any object would have after this paste, and whether it would
  /// cover any at all. `at`: where the upper left corner of the scaled cutout goes.
  double least_visible_after(const Cutout& cutout, const PasteLook& look, cv::Point at) const;
  /// Whether the labelled box of the cutout lies inside the image there.
  bool fits(const Cutout& cutout, const PasteLook& look, cv::Point at) const;
  /// Pastes it on top of all. It fits there. Light: the background around the object gets the mean
  /// colour that the image has there, by at most 40 levels a channel.
  void paste(const Cutout& cutout, const PasteLook& look, cv::Point at);

  /// All objects, those of the image first, each with the box of its visible part: its own where
  /// nothing covers it, else the extent of the pixels that are seen, cut by its own.
  std::vector<SeenObject> objects() const;
  const cv::Mat& image() const { return image_; }

 private:
  struct Placed {
    Label label;
    Xyxy box;        ///< px
    cv::Rect place;  ///< of `seen` in the image
    cv::Mat1b seen;  ///< 255 where the object is and nothing covers it
    int whole = 0;   ///< pixels of the object
    std::size_t pasted = 0;
  };
  Placed placed(const Label& label, std::size_t pasted) const;

  cv::Mat image_;
  std::vector<Placed> objects_;
  std::size_t pastes_ = 0;
};

/// A size of the cutout by which the object takes about the share of this image that it took of its
/// own: times 0.8 to 1.25, drawn; at most 1.5 times its pixels.
double drawn_scale(const Cutout& cutout, cv::Size image, Random& random);
/// Mean absolute Laplacian over mean gradient, of the gray image: falls with blur, and hardly
/// changes with contrast.
double sharpness(const cv::Mat& picture);
/// The least of a few blurs (σ, px) that make the scaled cutout as blurred as the image: its
/// sharpness is at most 1.25 times that of the image. 0 where it is not sharper.
double matching_blur(const Cutout& cutout, double scale, double image_sharpness);

}  // namespace yolov7::dataset
