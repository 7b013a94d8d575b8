#include "dataset/augment/transforms/erasing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "core/error.hpp"
#include "dataset/augment/transforms/boxes.hpp"

namespace yolov7::dataset {
namespace {

/// "never" of a share that can reach 1.
constexpr double never = 2;

cv::Rect whole(const cv::Mat& picture) { return {0, 0, picture.cols, picture.rows}; }
cv::Scalar grey(int value) { return cv::Scalar::all(value); }
int random_to(Random& random, int last) { return static_cast<int>(random.integer(0, last)); }

Setting drop_setting(double& limit) {
  return setting("drop_covered", limit,
                 "an object goes when at least this share of its box is erased; 1 = never")
      .range(0, 1);
}

/// Fills what the mask marks, and drops the objects that it hides.
void erase(Sample& sample, const cv::Mat& mask, const cv::Scalar& fill, double limit) {
  sample.picture.setTo(fill, mask);
  drop_covered(sample.objects, mask, limit >= 1 ? never : limit);
}

/// A rectangle of that size at a uniform place wholly inside. Draws: x, y.
cv::Rect placed(cv::Size size, cv::Size outer, Random& random) {
  const cv::Size inner(std::clamp(size.width, 1, outer.width),
                       std::clamp(size.height, 1, outer.height));
  const int x = random_to(random, outer.width - inner.width),
            y = random_to(random, outer.height - inner.height);
  return {cv::Point(x, y), inner};
}

int share_of(double share, int side) { return static_cast<int>(std::floor(share * side + 0.5)); }

// Row 94. Draws: number; for each hole height, width, x, y.
struct CoarseDropout {
  std::vector<int> holes{1, 2};
  std::vector<double> height{0.1, 0.2}, width{0.1, 0.2};
  int fill = 114;
  double drop_covered = 0.6;
};
Settings settings(CoarseDropout& o) {
  return Settings{"CoarseDropout",
                  {
                      setting("holes", o.holes, "number of rectangles").range(1, 1000),
                      setting("height", o.height, "share of the image's height").range(0, 1),
                      setting("width", o.width, "share of the image's width").range(0, 1),
                      setting("fill", o.fill, "grey level of erased pixels").range(0, 255),
                      drop_setting(o.drop_covered),
                  }};
}
void apply(const CoarseDropout& o, Sample& sample, Random& random, const TransformContext&) {
  const cv::Size size = sample.picture.size();
  cv::Mat mask = cv::Mat::zeros(size, CV_8U);
  const int count = whole_between(o.holes, random);
  for (int i = 0; i < count; ++i) {
    const int height = share_of(between(o.height, random), size.height),
              width = share_of(between(o.width, random), size.width);
    mask(placed({width, height}, size, random)) = grey(255);
  }
  erase(sample, mask, grey(o.fill), o.drop_covered);
}

// Row 95 (Zhong et al., "Random Erasing Data Augmentation", arXiv 1708.04896). Draws: area, log of
// the ratio, x, y.
struct Erasing {
  std::vector<double> scale{0.02, 0.33}, ratio{0.3, 3.3};
  int fill = 114;
  double drop_covered = 0.6;
};
Settings settings(Erasing& o) {
  return Settings{"Erasing",
                  {
                      setting("scale", o.scale, "share of the image's area").range(0, 1),
                      setting("ratio", o.ratio, "width / height").range(0.01, 100),
                      setting("fill", o.fill, "grey level of erased pixels").range(0, 255),
                      drop_setting(o.drop_covered),
                  }};
}
void apply(const Erasing& o, Sample& sample, Random& random, const TransformContext&) {
  const cv::Size size = sample.picture.size();
  const double area = between(o.scale, random) * size.width * size.height;
  const double ratio =
      std::exp(random.uniform(std::log(o.ratio.front()), std::log(o.ratio.back())));
  cv::Mat mask = cv::Mat::zeros(size, CV_8U);
  const cv::Size hole(static_cast<int>(std::floor(std::sqrt(area * ratio) + 0.5)),
                      static_cast<int>(std::floor(std::sqrt(area / ratio) + 0.5)));
  mask(placed(hole, size, random)) = grey(255);
  erase(sample, mask, grey(o.fill), o.drop_covered);
}

// Row 96. Draws: unit, offset x, offset y. In every unit × unit cell the upper left square of side
// ⌊unit · ratio + 0.5⌋ is erased.
struct GridDropout {
  double ratio = 0.5;
  std::vector<int> unit{32, 96};
  bool random_offset = true;
  int fill = 114;
  double drop_covered = 0.6;
};
Settings settings(GridDropout& o) {
  return Settings{
      "GridDropout",
      {
          setting("ratio", o.ratio, "side of a hole as a share of the unit").range(0, 1),
          setting("unit", o.unit, "period of the grid, pixels").range(2, 10'000),
          setting("random_offset", o.random_offset, "the grid begins anywhere"),
          setting("fill", o.fill, "grey level of erased pixels").range(0, 255),
          drop_setting(o.drop_covered),
      }};
}
void apply(const GridDropout& o, Sample& sample, Random& random, const TransformContext&) {
  const int unit = whole_between(o.unit, random);
  const int x0 = random_to(random, unit - 1), y0 = random_to(random, unit - 1);
  const int hole = std::clamp(static_cast<int>(std::floor(unit * o.ratio + 0.5)), 1, unit - 1);
  cv::Mat mask = cv::Mat::zeros(sample.picture.size(), CV_8U);
  const cv::Point first = o.random_offset ? cv::Point(x0 - unit, y0 - unit) : cv::Point(0, 0);
  for (int y = first.y; y < mask.rows; y += unit)
    for (int x = first.x; x < mask.cols; x += unit)
      mask(cv::Rect(x, y, hole, hole) & whole(mask)) = grey(255);
  erase(sample, mask, grey(o.fill), o.drop_covered);
}

// Row 97. Draws: unit, offsets, rotation. The schedule multiplies the step's own p.
struct GridMask {
  double ratio = 0.5;
  int rotate_max = 1;
  std::string erase_what = "squares";
  double ramp = 1;
  int fill = 114;
  double drop_covered = 1;
  int unit_min = 2, unit_max = 0;
};
Settings settings(GridMask& o) {
  return Settings{
      "GridMask",
      {
          setting("unit_min", o.unit_min, "least period of the grid, pixels").range(2, 100'000),
          setting("unit_max", o.unit_max, "largest period; 0 = the shorter side - 1")
              .range(0, 100'000),
          setting("ratio", o.ratio, "width of a band as a share of the period").range(0, 1),
          setting("rotate_max", o.rotate_max, "rotation by whole degrees below this; 1 = none")
              .range(1, 360),
          setting("erase", o.erase_what, "squares between the bands (the paper's), or the bands")
              .choices({"squares", "bands"}),
          setting("ramp", o.ramp,
                  "share of the training after which the full probability holds; it grows from 0 "
                  "until then")
              .range(0, 1),
          setting("fill", o.fill, "grey level of erased pixels").range(0, 255),
          drop_setting(o.drop_covered),
      }};
}
void apply(const GridMask& o, Sample& sample, Random& random, const TransformContext& context) {
  const cv::Size size = sample.picture.size();
  const int shorter = std::min(size.width, size.height),
            most = o.unit_max > 0 ? o.unit_max : std::max(o.unit_min, shorter - 1);
  if (most < o.unit_min)
    throw Error(fmt::format("GridMask: expected unit_max of at least unit_min {}, found {}",
                            o.unit_min, most));
  const bool now = random.chance(o.ramp > 0 ? std::min(1.0, context.progress / o.ramp) : 1);
  GridMaskDraws d;
  d.unit = static_cast<int>(random.integer(o.unit_min, most));
  d.band = std::clamp(static_cast<int>(std::floor(d.unit * o.ratio + 0.5)), 1, d.unit - 1);
  d.offset_x = random_to(random, d.unit - 1);
  d.offset_y = random_to(random, d.unit - 1);
  d.degrees = random_to(random, o.rotate_max - 1);
  d.squares = o.erase_what == "squares";
  if (now) erase(sample, grid_mask(size, d), grey(o.fill), o.drop_covered);
}

// Row 98. Draws: number of columns, of rows; for each strip its length, place.
struct XYMasking {
  std::vector<int> columns{1, 2}, rows{1, 2};
  std::vector<double> column_width{0.02, 0.1}, row_height{0.02, 0.1};
  int fill = 114;
  double drop_covered = 0.6;
};
Settings settings(XYMasking& o) {
  return Settings{
      "XYMasking",
      {
          setting("columns", o.columns, "number of vertical strips").range(0, 1000),
          setting("rows", o.rows, "number of horizontal strips").range(0, 1000),
          setting("column_width", o.column_width, "share of the image's width").range(0, 1),
          setting("row_height", o.row_height, "share of the image's height").range(0, 1),
          setting("fill", o.fill, "grey level of erased pixels").range(0, 255),
          drop_setting(o.drop_covered),
      }};
}
void apply(const XYMasking& o, Sample& sample, Random& random, const TransformContext&) {
  const cv::Size size = sample.picture.size();
  cv::Mat mask = cv::Mat::zeros(size, CV_8U);
  const int columns = whole_between(o.columns, random), rows = whole_between(o.rows, random);
  for (int i = 0; i < columns; ++i)
    mask(placed({share_of(between(o.column_width, random), size.width), size.height}, size,
                random)) = grey(255);
  for (int i = 0; i < rows; ++i)
    mask(placed({size.width, share_of(between(o.row_height, random), size.height)}, size, random)) =
        grey(255);
  erase(sample, mask, grey(o.fill), o.drop_covered);
}

// Row 99. For each object of the classes, in order: number; for each hole width, height, x, y
// inside its box.
struct ConstrainedCoarseDropout {
  std::vector<int> classes{0, 1'000'000};
  std::vector<int> holes{1, 1};
  std::vector<double> height{0.1, 0.4}, width{0.1, 0.4};
  int fill = 114;
  double drop_covered = 0.6;
};
Settings settings(ConstrainedCoarseDropout& o) {
  return Settings{
      "ConstrainedCoarseDropout",
      {
          setting("classes", o.classes, "first and last class index; one value: this class")
              .range(0, 1'000'000),
          setting("holes", o.holes, "number of rectangles in each box").range(1, 1000),
          setting("height", o.height, "share of the box's height").range(0, 1),
          setting("width", o.width, "share of the box's width").range(0, 1),
          setting("fill", o.fill, "grey level of erased pixels").range(0, 255),
          drop_setting(o.drop_covered),
      }};
}
void apply(const ConstrainedCoarseDropout& o, Sample& sample, Random& random,
           const TransformContext&) {
  cv::Mat mask = cv::Mat::zeros(sample.picture.size(), CV_8U);
  for (const Object& object : sample.objects) {
    if (object.class_index < o.classes.front() || object.class_index > o.classes.back()) continue;
    const cv::Rect box = pixels_of(object.box, mask.size());
    if (box.empty()) continue;
    const int count = whole_between(o.holes, random);
    for (int i = 0; i < count; ++i) {
      const int height = share_of(between(o.height, random), box.height),
                width = share_of(between(o.width, random), box.width);
      mask(placed({width, height}, box.size(), random) + box.tl()) = grey(255);
    }
  }
  erase(sample, mask, grey(o.fill), o.drop_covered);
}

// Row 100, data 8.9. Draws for each rectangle: height, width, x, y, three channels.
struct YoloCutout {};
Settings settings(YoloCutout&) { return {"YoloCutout", {}}; }
void apply(const YoloCutout&, Sample& sample, Random& random, const TransformContext&) {
  constexpr std::array<std::pair<double, int>, 5> sizes{
      {{0.5, 1}, {0.25, 2}, {0.125, 4}, {0.0625, 8}, {0.03125, 16}}};
  const int w = sample.picture.cols, h = sample.picture.rows;
  for (const auto& [fraction, count] : sizes)
    for (int i = 0; i < count; ++i) {
      const int mh = static_cast<int>(random.integer(1, static_cast<int>(h * fraction))),
                mw = static_cast<int>(random.integer(1, static_cast<int>(w * fraction)));
      const int x = std::max(0, random_to(random, w) - mw / 2),
                y = std::max(0, random_to(random, h) - mh / 2);
      const cv::Rect hole = cv::Rect(x, y, mw, mh) & whole(sample.picture);
      cv::Scalar colour;
      for (int channel = 0; channel < 3; ++channel)
        colour[channel] = static_cast<double>(random.integer(64, 191));
      if (hole.empty()) continue;
      sample.picture(hole) = colour;
      // By each rectangle alone, and only by those that can hide something (data 8.9).
      const Xyxy covered = to_box(hole);
      if (fraction > 0.03)
        std::erase_if(sample.objects, [&](const Object& object) {
          return intersection_area(object.box, covered) >= 0.6 * object.box.area();
        });
    }
}

}  // namespace

cv::Mat grid_mask(cv::Size size, const GridMaskDraws& d) {
  const cv::Size canvas_size(size.width * 3 / 2, size.height * 3 / 2);
  cv::Mat canvas(canvas_size, CV_8U);
  const auto in_band = [&](int at, int offset) {
    return ((at - offset) % d.unit + d.unit) % d.unit < d.band;
  };
  for (int y = 0; y < canvas.rows; ++y) {
    auto* row = canvas.ptr<std::uint8_t>(y);
    const bool row_band = in_band(y, d.offset_y);
    for (int x = 0; x < canvas.cols; ++x)
      row[x] = (row_band || in_band(x, d.offset_x)) == d.squares ? 0 : 255;
  }
  if (d.degrees != 0) {
    const cv::Point2f centre(static_cast<float>(canvas.cols - 1) / 2,
                             static_cast<float>(canvas.rows - 1) / 2);
    cv::warpAffine(canvas, canvas, cv::getRotationMatrix2D(centre, d.degrees, 1), canvas_size,
                   cv::INTER_NEAREST);
  }
  return canvas(cv::Rect((canvas.cols - size.width) / 2, (canvas.rows - size.height) / 2,
                         size.width, size.height))
      .clone();
}

std::vector<TransformEntry> erasing_transforms() {
  constexpr auto covers = BoxRule::covers;
  constexpr auto stage = Stage::erasing;
  return {entry<CoarseDropout>("CoarseDropout", covers, stage, 0.5,
                               "Rectangles of the image become grey", {"Cutout"}),
          entry<Erasing>("Erasing", covers, stage, 0.5,
                         "One rectangle of random area and shape becomes grey", {"RandomErasing"}),
          entry<GridDropout>("GridDropout", covers, stage, 0.5, "Square holes on a grid"),
          entry<GridMask>("GridMask", covers, stage, 0.7,
                          "A grid of squares or bands, its probability growing with the training"),
          entry<XYMasking>("XYMasking", covers, stage, 0.5, "Vertical and horizontal strips"),
          entry<ConstrainedCoarseDropout>("ConstrainedCoarseDropout", covers, stage, 0.5,
                                          "Rectangles inside the boxes of some classes"),
          entry<YoloCutout>("YoloCutout", covers, stage, 0.9,
                            "31 rectangles of five sizes in random colours")};
}

}  // namespace yolov7::dataset
