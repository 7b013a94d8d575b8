#pragma once
// One picture of the built-in generator: what is where, and how it looks.
#include <opencv2/core/mat.hpp>
#include <vector>

#include "core/random.hpp"
#include "dataset/index/label.hpp"
#include "dataset/synth/synth_formulas.hpp"
#include "dataset/synth/synth_shapes.hpp"

namespace yolov7::dataset {

/// What makes a level. Sizes are the longer side of an object's box as a share of the picture's
/// longer side.
struct SynthLevel {
  std::vector<Shape> shapes;      ///< the first classes, in order
  std::vector<Formula> formulas;  ///< the classes after them
  int least_objects = 1, most_objects = 30;
  double smallest = 0.03, largest = 0.60;
  double least_visible = 0.5;  ///< of an object's area inside the picture, whatever lies on top
  double least_inside = 0.6;   ///< of its whole area
  double empty_share = 0.10;   ///< of the pictures
  double most_turn = 3.14159265358979;  ///< radians either way
  double least_stretch = 0.75;
  double texture = 30, most_noise = 12,
         most_blur = 1.2;  ///< grey levels, grey levels, sigma in px per 640 px
  double least_contrast = 45, most_contrast = 200;  ///< distance of colours, grey levels
  int most_distractors = 9;
  bool colour_by_class = false;        ///< each class in a hue of its own
  bool many_shapes_of_picture = true;  ///< aspect ratios from 9:16 to 16:9 instead of squares
  bool fractal_textures = false;       ///< attractors of random affine maps and noise of all sizes
                                       ///< besides the plain patterns
  bool relief = false;  ///< rims, domes, light from one side, some objects translucent
  double crowds = 0;  ///< share of the pictures that show one to four kinds of objects, all of one
                      ///< kind much alike
  double zipf = 0;    ///< the k-th class is drawn in proportion to 1 / k^zipf; 0 = all alike

  int class_count() const { return static_cast<int>(shapes.size() + formulas.size()); }
  std::string class_name(int index) const;
  Outline class_outline(int index) const;
  int draw_class(Random& random) const;
};

SynthLevel standard_level();
SynthLevel easy_level();
/// The hardest: the eight shapes and 56 formulas in fractal textures with relief, up to 40 in a
/// picture, half the pictures crowds. What yolov7-tiny-synth was trained on.
SynthLevel formula_level();

struct SynthPicture {
  cv::Mat picture;  ///< 8-bit B G R, longer side `size`
  std::vector<Label>
      labels;  ///< with polygons; box = extent of the polygon, which is cut at the border
  std::vector<double> visible;  ///< per label: share of its area in the picture that nothing covers
};

/// A pure function of the arguments. `split` and `number` name the scene. `frame` above 0: the same
/// scene once more, from a camera that has moved a little, in a little other light, with other
/// noise (synth_frames.hpp); `visible` is then that of frame 0.
SynthPicture draw_synth_picture(const SynthLevel& level, int size, std::uint64_t seed, int split,
                                std::size_t number, bool empty, std::size_t frame = 0);

}  // namespace yolov7::dataset
