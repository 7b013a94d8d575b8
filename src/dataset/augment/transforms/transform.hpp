#pragma once
// One entry of the catalogue of augmentations (data 12 and 13): a plain struct of parameters, a
// settings table, a function.
//
//   struct Solarize { std::vector<double> threshold_range{0.5, 0.5}; };
//   Settings settings(Solarize& o) { return Settings{"Solarize", {setting("threshold_range",
//   o.threshold_range, "share of 255").range(0, 1)}}; } void apply(const Solarize& o, Sample&
//   sample, Random& random, const TransformContext&);
//
// A group's function (colour_transforms(), …) lists its entries; catalogue() (catalogue.hpp) joins
// them.
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/random.hpp"
#include "core/settings.hpp"
#include "dataset/augment/sample.hpp"

namespace yolov7::dataset {

/// What a transform does to boxes (data 12): pixels only; exact permutation of the grid; affine or
/// projective; crop, pad or resize; non-linear warp; pixels removed; several pictures; as its parts
/// (combinators).
enum class BoxRule { none, exact, affine, crop, warp, covers, mixes, parts };

/// The fixed order of the pipeline (data 12). Inside a stage the list's order holds.
enum class Stage { picture, mixing, policy, geometry, pixels, erasing };

/// After affine, crop, warp and mixing transforms an object stays if both sides are > 2 px, the
/// aspect ratio < 20, and area / (area before · the transform's own factor) > min_visibility.
struct BoxFilter {
  double min_visibility = 0.10;
  double min_area = 0;  ///< px²
  bool clip = true;     ///< boxes are cut at the picture's border
};

/// What a transform may know beyond its sample.
struct TransformContext {
  BoxFilter filter;
  double progress = 1;                          ///< of the training, 0 … 1, for schedules
  std::vector<std::string>* applied = nullptr;  ///< gets the names of what is done, in order
  std::function<Sample(Random&)> other;  ///< another sample of the data set with a picture of its
                                         ///< own, any size; empty: there is none
};

/// A transform with its parameters. The sample's picture belongs to it alone, 8-bit B G R,
/// continuous or not, from 1 × 1 px. A pure function of parameters, sample, random stream and
/// context.
class Transform {
 public:
  virtual ~Transform() = default;
  virtual Settings settings() = 0;
  virtual void apply(Sample& sample, Random& random, const TransformContext& context) const = 0;
};

struct TransformEntry {
  std::string_view name;
  std::vector<std::string_view>
      aliases;  ///< of the same transform on the platform or in other libraries
  BoxRule boxes = BoxRule::none;
  Stage stage = Stage::pixels;
  double probability = 0.5;  ///< default; 1 for crops, pads and resizes
  std::string_view help;     ///< one line
  std::function<std::unique_ptr<Transform>()> make;
};

// Outside the class, whose members of the same names would hide them.
template <class T>
Settings settings_of(T& options) {
  return settings(options);
}
template <class T>
void apply_of(const T& options, Sample& sample, Random& random, const TransformContext& context) {
  apply(options, sample, random, context);
}

template <class T>
class TransformOf final : public Transform {
 public:
  explicit TransformOf(T options = {}) : options_(std::move(options)) {}
  Settings settings() override { return settings_of(options_); }
  void apply(Sample& sample, Random& random, const TransformContext& context) const override {
    apply_of(options_, sample, random, context);
  }

 private:
  T options_;
};

template <class T>
TransformEntry entry(std::string_view name, BoxRule boxes, Stage stage, double probability,
                     std::string_view help, std::vector<std::string_view> aliases = {}) {
  return {name, std::move(aliases), boxes, stage, probability, help, [] {
            return std::make_unique<TransformOf<T>>();
          }};
}

// Parameters that are ranges are lists of one or two numbers; catalogue.cpp has checked that.

/// Two: U(low, high). One value v: v.
double between(const std::vector<double>& range, Random& random);
/// Two: U(low, high). One value v: U(−v, v).
double around(const std::vector<double>& limit, Random& random);
/// Two: whole, both ends included. One value v: v.
int whole_between(const std::vector<int>& range, Random& random);
/// Odd and in the range: 3, 5, 7 for (3, 7).
int odd_between(const std::vector<int>& range, Random& random);

/// ⌊value + 0.5⌋ in 0 … 255.
std::uint8_t to_byte(double value);

}  // namespace yolov7::dataset
