#include "dataset/augment/transforms/combinators.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/error.hpp"
#include "dataset/augment/transforms/boxes.hpp"

namespace yolov7::dataset {
namespace {

/// One of the list, chosen in proportion to the parts' p, and applied for certain.
class OneOf final : public Combinator {
 public:
  Settings settings() override { return {"OneOf", {}}; }
  void apply(Sample& sample, Random& random, const TransformContext& context) const override {
    const double sum =
        std::accumulate(steps_.begin(), steps_.end(), 0.0,
                        [](double s, const AugmentStep& step) { return s + step.probability(); });
    double at = random.uniform() * sum;
    for (const AugmentStep& step : steps_) {
      at -= step.probability();
      if (at >= 0) continue;
      TransformContext own = context;
      own.filter = step.options.filter;
      if (context.applied != nullptr) context.applied->emplace_back(step.entry->name);
      return step.transform->apply(sample, random, own);
    }
  }
};

/// A range that holds its neutral value (0, 1, or 100 for per cent) shrinks towards it; others
/// stay.
void scale_range(std::vector<double>& range, double magnitude) {
  if (range.size() == 1) {
    range[0] *= magnitude;  // ± limit
    return;
  }
  for (const double neutral : {0.0, 1.0, 100.0}) {
    if (range[0] > neutral || range[1] < neutral) continue;
    for (double& end : range) end = neutral + (end - neutral) * magnitude;
    return;
  }
}

/// n different ones of the list, in the list's order, each with its own p; all ranges scaled by
/// `magnitude` (Cubuk et al., "RandAugment", arXiv 1909.13719: n transforms at one strength).
class SomeOf final : public Combinator {
 public:
  Settings settings() override {
    return {"SomeOf",
            {setting("n", n_, "how many of the list").range(1, 1000),
             setting("magnitude", magnitude_,
                     "share of the parts' strengths: ranges that hold their neutral value (0, 1 or "
                     "100) shrink towards it")
                 .range(0, 1)}};
  }
  void add(AugmentStep step) override {
    for (const Setting& s : step.transform->settings().entries)
      if (auto* const* range = std::get_if<std::vector<double>*>(&s.target))
        scale_range(**range, magnitude_);
    Combinator::add(std::move(step));
  }
  void apply(Sample& sample, Random& random, const TransformContext& context) const override {
    const auto count = std::min(static_cast<std::size_t>(n_), steps_.size());
    std::vector<std::size_t> chosen = random.permutation(steps_.size());
    chosen.resize(count);
    std::sort(chosen.begin(), chosen.end());
    for (const std::size_t i : chosen) steps_[i].run(sample, random, context);
  }

 private:
  int n_ = 1;
  double magnitude_ = 1;
};

class Sequential final : public Combinator {
 public:
  Settings settings() override { return {"Sequential", {}}; }
  void apply(Sample& sample, Random& random, const TransformContext& context) const override {
    for (const AugmentStep& step : steps_) step.run(sample, random, context);
  }
};

class RandomOrder final : public Combinator {
 public:
  Settings settings() override { return {"RandomOrder", {}}; }
  void apply(Sample& sample, Random& random, const TransformContext& context) const override {
    for (const std::size_t i : random.permutation(steps_.size()))
      steps_[i].run(sample, random, context);
  }
};

/// Another transform on each box's own pixels, with probability p_box per box; boxes stay.
class InsideBoxes final : public Transform {
 public:
  explicit InsideBoxes(std::unique_ptr<Transform> inner) : inner_(std::move(inner)) {}
  Settings settings() override {
    Settings table = inner_->settings();
    table.entries.push_back(setting("p_box", p_box_, "probability for each box").range(0, 1));
    return table;
  }
  void apply(Sample& sample, Random& random, const TransformContext& context) const override {
    for (const Object& object : sample.objects) {
      const bool chosen = random.chance(p_box_);
      const cv::Rect place = pixels_of(object.box, sample.picture.size());
      if (!chosen || place.empty()) continue;
      Sample part{sample.picture(place).clone(), {}};
      inner_->apply(part, random, context);
      // A quarter turn or a crop of another size lies in the middle, 114 around it.
      cv::Mat target = sample.picture(place);
      target.setTo(cv::Scalar::all(114));
      const cv::Size both(std::min(part.picture.cols, place.width),
                          std::min(part.picture.rows, place.height));
      const auto centred = [&](cv::Size outer) {
        return cv::Rect(cv::Point((outer.width - both.width) / 2, (outer.height - both.height) / 2),
                        both);
      };
      part.picture(centred(part.picture.size())).copyTo(target(centred(place.size())));
    }
  }

 private:
  std::unique_ptr<Transform> inner_;
  double p_box_ = 0.5;
};

struct BoxVariant {
  std::string_view name, inner;
};
constexpr std::array<BoxVariant, 9> box_variants{{{"BoxFlip", "HorizontalFlip"},
                                                  {"BoxRotate90", "RandomRotate90"},
                                                  {"BoxCrop", "Crop"},
                                                  {"BoxRotate", "Rotate"},
                                                  {"BoxShear", "Shear"},
                                                  {"BoxBrightness", "Brightness"},
                                                  {"BoxExposure", "Exposure"},
                                                  {"BoxBlur", "GaussianBlur"},
                                                  {"BoxNoise", "SaltAndPepper"}}};

template <class T>
TransformEntry combinator(std::string_view name, std::string_view help) {
  return {name, {}, BoxRule::parts, Stage::pixels, 1, help, [] { return std::make_unique<T>(); }};
}

}  // namespace

std::vector<TransformEntry> combinators(const std::vector<TransformEntry>& others) {
  std::vector<TransformEntry> all{
      combinator<OneOf>(
          "OneOf",
          "One transform of the list, chosen in proportion to their p, applied for certain"),
      combinator<SomeOf>(
          "SomeOf", "n different transforms of the list, each with its own p, at one magnitude"),
      combinator<Sequential>("Sequential", "All transforms of the list, in its order"),
      combinator<RandomOrder>("RandomOrder", "All transforms of the list, in random order")};
  for (const BoxVariant& variant : box_variants) {
    const auto inner = std::find_if(others.begin(), others.end(), [&](const TransformEntry& one) {
      return one.name == variant.inner;
    });
    if (inner == others.end())
      throw Error(
          fmt::format("{}: expected a transform {}, found none", variant.name, variant.inner));
    all.push_back({variant.name,
                   {},
                   BoxRule::none,
                   Stage::pixels,
                   1,
                   "The transform of that name on each box's own pixels",
                   [make = inner->make] { return std::make_unique<InsideBoxes>(make()); }});
  }
  return all;
}

}  // namespace yolov7::dataset
