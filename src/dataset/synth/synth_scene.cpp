#include "dataset/synth/synth_scene.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <utility>

#include "dataset/synth/synth_distractors.hpp"
#include "dataset/synth/synth_frames.hpp"
#include "dataset/synth/synth_looks.hpp"
#include "dataset/synth/synth_textures.hpp"

namespace yolov7::dataset {
namespace {

/// Numbers of random streams. Never change them: the same seed would draw other images.
enum Stream : std::uint32_t {
  layout_stream = 1,
  look_stream = 2,
  distractor_stream = 3,
  camera_stream = 4,
  kind_stream = 5,
  first_frame_stream = 1000
};

cv::Rect whole_pixels(const Xyxy& box, cv::Size picture) {
  const cv::Point first(static_cast<int>(std::floor(box.x1)), static_cast<int>(std::floor(box.y1)));
  const cv::Point last(static_cast<int>(std::ceil(box.x2)), static_cast<int>(std::ceil(box.y2)));
  return cv::Rect(first, last) & cv::Rect({0, 0}, picture);
}

cv::Vec3f mean_colour(const cv::Mat& canvas) {
  const cv::Scalar mean = cv::mean(canvas);
  return {static_cast<float>(mean[0]), static_cast<float>(mean[1]), static_cast<float>(mean[2])};
}

struct Placed {
  int class_index = 0;
  Outline outline;  ///< inside the picture
  int pixels = 0, visible = 0;
};

/// The canvas, the object that each pixel shows, and the check that enough of every object stays
/// visible.
class Scene {
 public:
  Scene(const SynthLevel& level, cv::Size size, Random look)
      : level_(level), look_(std::move(look)), owner_(size, CV_16SC1, cv::Scalar(-1)) {
    // Where the colour identifies the class, the background is nearly grey.
    const double grey = look_.uniform(30, 225);
    cv::Vec3f base;
    for (int c = 0; c < 3; ++c)
      base[c] = static_cast<float>(level.colour_by_class ? grey + look_.uniform(-12, 12)
                                                         : look_.uniform(30, 225));
    canvas_ = random_texture(size, base, level.texture * 1.5, look_, level.fractal_textures);
    if (level.relief) light_ = look_.uniform(0, 2 * M_PI);
  }

  /// From here on all objects are of one to four kinds.
  void choose_kinds(double largest, Random& random) {
    const cv::Vec3f ground = mean_colour(canvas_);
    const auto count = random.integer(1, std::min(4, level_.class_count()));
    while (static_cast<std::int64_t>(kinds_.size()) < count) {
      Kind kind;
      kind.class_index = level_.draw_class(random);
      if (std::any_of(kinds_.begin(), kinds_.end(),
                      [&](const Kind& k) { return k.class_index == kind.class_index; }))
        continue;
      kind.share = std::exp(random.uniform(std::log(level_.smallest), std::log(largest)));
      kind.colour = contrasting_colour(ground, random_contrast(random), random);
      kind.texture = random.uniform(0, level_.texture);
      if (level_.relief) kind.relief = random_relief(true, light_, random);
      // Two declarators: they are evaluated in order. Arguments of one call are not, and the images
      // would depend on the compiler.
      const std::uint32_t number = random.next(), seed = random.next();
      kind.pattern = Random(seed, number, 0, 0);
      kinds_.push_back(std::move(kind));
    }
  }
  const std::vector<Kind>& kinds() const { return kinds_; }

  /// True if every object stays visible enough when the pixels of `roi` with a coverage above 0.5
  /// are painted over.
  bool allowed(const cv::Rect& roi, const cv::Mat& coverage) {
    std::vector<int> lost(objects_.size(), 0);
    for_covered(roi, coverage, [&](std::int16_t& owner) {
      if (owner >= 0) ++lost[static_cast<std::size_t>(owner)];
    });
    for (std::size_t i = 0; i < objects_.size(); ++i)
      if (objects_[i].visible - lost[i] < level_.least_visible * objects_[i].pixels) return false;
    return true;
  }

  /// Paints over the canvas. `who`: number of the object, −1 = a distractor. Returns the number of
  /// pixels painted.
  int paint(const cv::Rect& roi, const cv::Mat& coverage, int class_index, int who) {
    const auto kind = std::find_if(kinds_.begin(), kinds_.end(), [&](const Kind& k) {
      return who >= 0 && k.class_index == class_index;
    });
    Relief relief;
    cv::Mat texture;
    if (kind != kinds_.end()) {
      Random pattern = kind->pattern;
      cv::Vec3f colour = kind->colour;
      for (int c = 0; c < 3; ++c) colour[c] += static_cast<float>(look_.uniform(-10, 10));
      texture = random_texture(roi.size(), colour, kind->texture, pattern, level_.fractal_textures);
      relief = kind->relief;
    } else {
      const cv::Vec3f colour = object_colour(roi, class_index, who);
      texture = random_texture(roi.size(), colour, look_.uniform(0, level_.texture), look_,
                               level_.fractal_textures);
      if (level_.relief) relief = random_relief(false, light_, look_);
    }
    if (level_.relief) add_relief(texture, coverage, roi, size(), relief);
    blend(canvas_, roi, texture,
          relief.opacity < 1 ? cv::Mat(coverage * relief.opacity) : coverage);
    int pixels = 0;
    for_covered(roi, coverage, [&](std::int16_t& owner) {
      if (owner >= 0) --objects_[static_cast<std::size_t>(owner)].visible;
      owner = static_cast<std::int16_t>(who);
      ++pixels;
    });
    return pixels;
  }

  void add_object(int class_index, Outline outline, const cv::Rect& roi, const cv::Mat& coverage) {
    Placed placed;
    placed.class_index = class_index;
    placed.outline = std::move(outline);
    placed.pixels = placed.visible =
        paint(roi, coverage, class_index, static_cast<int>(objects_.size()));
    objects_.push_back(std::move(placed));
  }

  cv::Size size() const { return canvas_.size(); }
  cv::Mat& canvas() { return canvas_; }
  const std::vector<Placed>& objects() const { return objects_; }

 private:
  template <class Body>
  void for_covered(const cv::Rect& roi, const cv::Mat& coverage, Body body) {
    for (int y = 0; y < roi.height; ++y) {
      auto* const owner = owner_.ptr<std::int16_t>(roi.y + y) + roi.x;
      const auto* const share = coverage.ptr<float>(y);
      for (int x = 0; x < roi.width; ++x)
        if (share[x] > 0.5f) body(owner[x]);
    }
  }

  double random_contrast(Random& random) const {
    return std::exp(
        random.uniform(std::log(level_.least_contrast), std::log(level_.most_contrast)));
  }

  cv::Vec3f object_colour(const cv::Rect& roi, int class_index, int who) {
    const cv::Vec3f below = mean_colour(canvas_(roi));
    const double distance = random_contrast(look_);
    return level_.colour_by_class && who >= 0 ? class_colour(class_index)
                                              : contrasting_colour(below, distance, look_);
  }

  cv::Vec3f class_colour(int class_index) {
    static const std::array<cv::Vec3f, 3> colours{cv::Vec3f(50, 50, 215), cv::Vec3f(60, 190, 60),
                                                  cv::Vec3f(215, 90, 40)};
    cv::Vec3f colour = colours[static_cast<std::size_t>(class_index) % colours.size()];
    for (int c = 0; c < 3; ++c) colour[c] += static_cast<float>(look_.uniform(-30, 30));
    return colour;
  }

  const SynthLevel& level_;
  Random look_;
  double light_ = 0;
  cv::Mat canvas_, owner_;
  std::vector<Kind> kinds_;
  std::vector<Placed> objects_;
};

cv::Size picture_size(const SynthLevel& level, int size, Random& random) {
  if (!level.many_shapes_of_picture) return {size, size};
  static const std::array<double, 5> ratios{1.0, 0.85, 0.75, 2.0 / 3, 9.0 / 16};
  const int shorter = std::max(
      1,
      static_cast<int>(std::lround(size * ratios[static_cast<std::size_t>(random.integer(0, 4))])));
  return random.chance(0.7) ? cv::Size(size, shorter) : cv::Size(shorter, size);
}

/// One try: true if the object was drawn.
bool try_object(const SynthLevel& level, Scene& scene, int class_index, const Outline& shape,
                double share, Random& random) {
  const cv::Size size = scene.size();
  const double longer = std::max(size.width, size.height);
  const double angle = random.uniform(-level.most_turn, level.most_turn),
               stretch = random.uniform(level.least_stretch, 1);
  const Outline unit = place_outline(shape, {0, 0}, 1, stretch, angle);
  const Xyxy box = outline_extent(unit);
  const double scale = share * longer / std::max(box.width(), box.height());
  const double y = random.uniform(0, size.height);  // first: the order of arguments is unspecified
  const cv::Point2d centre(random.uniform(0, size.width), y);
  const Outline whole = place_outline(unit, centre, scale, 1, 0);
  Outline outline = clip_outline(whole, size.width, size.height);
  if (outline.size() < 3 || outline_area(outline) < level.least_inside * outline_area(whole))
    return false;
  const Xyxy extent = outline_extent(outline);
  const double side = std::max(extent.width(), extent.height()) / longer;
  if (side < level.smallest || side > level.largest) return false;
  const cv::Rect roi = whole_pixels(extent, size);
  const cv::Mat coverage = outline_coverage(outline, roi);
  if (cv::countNonZero(coverage > 0.5F) == 0) return false;  // nothing of it would be seen
  if (!scene.allowed(roi, coverage)) return false;
  scene.add_object(class_index, std::move(outline), roi, coverage);
  return true;
}

/// An object before it has a place.
struct Planned {
  double order = 0;  ///< of drawing, lowest first: large objects lie below, mostly
  double share = 0;
  int class_index = 0;
};

void add_objects(const SynthLevel& level, Scene& scene, Random& random, Random* kinds) {
  constexpr int tries = 60;
  const int span = level.most_objects - level.least_objects + 1;
  const double u = random.uniform();
  const int count =
      level.least_objects + std::min(span - 1, static_cast<int>(span * (kinds ? u : u * u)));
  const double largest = level.largest * std::clamp(2.2 / std::sqrt(static_cast<double>(count)),
                                                    0.4, 1.0);  // many large objects would hide
                                                                // each other
  if (kinds) scene.choose_kinds(largest, *kinds);
  std::vector<Planned> objects;
  for (int i = 0; i < count; ++i) {
    Planned object;
    object.share = std::exp(random.uniform(std::log(level.smallest), std::log(largest)));
    if (kinds) {
      const auto& all = scene.kinds();
      const Kind& kind = all[static_cast<std::size_t>(
          kinds->integer(0, static_cast<std::int64_t>(all.size()) - 1))];
      object.class_index = kind.class_index;
      object.share = std::clamp(kind.share * std::exp(kinds->uniform(-0.25, 0.25)), level.smallest,
                                level.largest);
    }
    object.order = -object.share * random.uniform(0.5, 2);
    objects.push_back(object);
  }
  std::sort(objects.begin(), objects.end(), [](const Planned& a, const Planned& b) {
    return std::pair(a.order, a.share) < std::pair(b.order, b.share);
  });
  for (Planned& object : objects) {
    if (!kinds) object.class_index = level.draw_class(random);
    const Outline shape = level.class_outline(object.class_index);
    bool placed = false;
    for (int i = 0; i < tries && !placed; ++i)
      placed = try_object(level, scene, object.class_index, shape, object.share, random);
  }
}

void add_distractor(Scene& scene, bool thin, Random& random) {
  const cv::Size size = scene.size();
  const double longer = std::max(size.width, size.height);
  if (!thin && random.chance(0.5)) {
    const double y =
        random.uniform(0, size.height);  // first: the order of arguments is unspecified
    const cv::Point2d centre(random.uniform(0, size.width), y);
    const Outline outline = clip_outline(blob(centre, longer * random.uniform(0.02, 0.15), random),
                                         size.width, size.height);
    if (outline.size() < 3) return;
    const cv::Rect roi = whole_pixels(outline_extent(outline), size);
    if (roi.empty()) return;
    scene.paint(roi, outline_coverage(outline, roi), 0, -1);
    return;
  }
  const cv::Mat coverage = stroke(size, thin ? 0.006 : 0.02, random);
  const cv::Rect all({0, 0}, size);
  if (scene.allowed(all, coverage)) scene.paint(all, coverage, 0, -1);
}

/// Contrast, blur, noise; then 8 bits. `frame`: of a further frame, whose light and noise are a
/// little different.
cv::Mat photograph(const SynthLevel& level, cv::Mat& canvas, Random& random, Random* frame) {
  const double longer = std::max(canvas.cols, canvas.rows);
  const bool plain = level.most_distractors == 0;
  double gain = plain ? 1 : random.uniform(0.65, 1.1), shift = plain ? 0 : random.uniform(-15, 15);
  if (frame != nullptr) gain *= frame->uniform(0.95, 1.05), shift += frame->uniform(-5, 5);
  canvas.convertTo(canvas, CV_32F, gain, 127.5 * (1 - gain) + shift);
  const double sigma = random.uniform(-level.most_blur, level.most_blur) * longer / 640;
  if (sigma > 0.3) cv::GaussianBlur(canvas, canvas, cv::Size(), sigma);
  const double noise = random.uniform(0, level.most_noise);
  add_noise(canvas, noise, frame != nullptr ? *frame : random);
  cv::Mat picture;
  canvas.convertTo(picture, CV_8U);
  return picture;
}

}  // namespace

std::string SynthLevel::class_name(int index) const {
  const auto i = static_cast<std::size_t>(index);
  return i < shapes.size() ? shape_name(shapes[i]) : formulas.at(i - shapes.size()).name;
}

int SynthLevel::draw_class(Random& random) const {
  return zipf > 0 ? zipf_class(class_count(), zipf, random)
                  : static_cast<int>(random.integer(0, class_count() - 1));
}

Outline SynthLevel::class_outline(int index) const {
  const auto i = static_cast<std::size_t>(index);
  return i < shapes.size() ? shape_outline(shapes[i])
                           : formula_outline(formulas.at(i - shapes.size()));
}

SynthLevel standard_level() {
  SynthLevel level;
  level.shapes = {Shape::circle, Shape::square, Shape::triangle, Shape::star,
                  Shape::cross,  Shape::ring,   Shape::hexagon,  Shape::crescent};
  return level;
}

SynthLevel easy_level() {
  SynthLevel level;
  level.shapes = {Shape::circle, Shape::square, Shape::triangle};
  level.most_objects = 3;
  level.smallest = 0.25, level.largest = 0.5;
  level.least_visible = level.least_inside = 1;
  level.empty_share = 0;
  level.most_turn = 0.35;
  level.least_stretch = 0.9;
  level.texture = 12, level.most_noise = 4, level.most_blur = 0;
  level.most_distractors = 0;
  level.colour_by_class = true;
  level.many_shapes_of_picture = false;
  return level;
}

SynthLevel formula_level() {
  SynthLevel level = standard_level();
  level.formulas = formulas(56);
  level.most_objects = 40;
  level.texture = 45, level.most_noise = 14, level.most_blur = 1.6;
  level.most_distractors = 12;
  level.fractal_textures = level.relief = true;
  level.crowds = 0.5;
  return level;
}

SynthPicture draw_synth_picture(const SynthLevel& level, int size, std::uint64_t seed, int split,
                                std::size_t number, bool empty, std::size_t frame) {
  const auto random = [&](Stream stream) {
    return Random(seed, static_cast<std::uint32_t>(split), static_cast<std::uint32_t>(number),
                  stream);
  };
  Random layout = random(layout_stream), distractors = random(distractor_stream),
         camera = random(camera_stream);
  Scene scene(level, picture_size(level, size, layout), random(look_stream));
  const bool some = level.most_distractors > 0;
  const auto below = some ? distractors.integer(1, level.most_distractors) : 0,
             above = some ? distractors.integer(0, 3) : 0;
  for (std::int64_t i = 0; i < below; ++i) add_distractor(scene, false, distractors);
  Random kinds = random(kind_stream);
  const bool crowd = level.crowds > 0 && kinds.chance(level.crowds);
  if (!empty) add_objects(level, scene, layout, crowd ? &kinds : nullptr);
  for (std::int64_t i = 0; i < above; ++i) add_distractor(scene, true, distractors);
  std::vector<Outline> outlines;
  for (const Placed& object : scene.objects()) outlines.push_back(object.outline);
  std::optional<Random> other;
  if (frame > 0) {
    other.emplace(seed, static_cast<std::uint32_t>(split), static_cast<std::uint32_t>(number),
                  static_cast<std::uint32_t>(first_frame_stream + frame));
    look_through(camera_window(scene.size(), outlines, *other), scene.canvas(), outlines);
  }
  SynthPicture result;
  result.picture = photograph(level, scene.canvas(), camera, other ? &*other : nullptr);
  const double w = result.picture.cols, h = result.picture.rows;
  for (std::size_t i = 0; i < outlines.size(); ++i) {
    const Placed& object = scene.objects()[i];
    Label label;
    label.class_index = object.class_index;
    label.box = to_normalized(outline_extent(outlines[i]), w, h);
    for (const cv::Point2d& p : outlines[i]) label.polygon.emplace_back(p.x / w, p.y / h);
    result.labels.push_back(std::move(label));
    result.visible.push_back(object.pixels > 0 ? static_cast<double>(object.visible) / object.pixels
                                               : 0);
  }
  return result;
}

}  // namespace yolov7::dataset
