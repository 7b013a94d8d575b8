#pragma once
// All transforms by name, and the list of them that a hyper-parameter file switches on:
//
//   augment:
//     - {name: CLAHE, p: 0.3, clip_limit: 2}
//     - {name: SomeOf, n: 2, transforms: [{name: GaussNoise}, {name: MotionBlur}, {name:
//     RandomGamma}]}
//
// The stages run in their own order (data 12) whatever the list's order; inside a stage the list's
// order holds.
#include <memory>
#include <string>
#include <vector>

#include "core/value.hpp"
#include "dataset/augment/transforms/step.hpp"

namespace yolov7::dataset {

const std::vector<TransformEntry>& catalogue();
/// By name or alias, whatever the case. Error with the nearest names.
const TransformEntry& find_transform(std::string_view name, const std::string& where);

class AugmentList {
 public:
  AugmentList() = default;
  /// From the list, or from a scalar that holds it in flow style. Errors name the place, and the
  /// nearest name or parameter.
  static AugmentList parse(const Value& list);

  bool empty() const { return steps_.empty(); }
  bool has(Stage stage) const;
  const std::vector<AugmentStep>& steps() const { return steps_; }
  /// Runs a stage's steps. `stream(i)` gives the random stream of the i-th step of the list, so
  /// that a step's draws depend on its place alone.
  void run(Stage stage, Sample& sample, const std::function<Random(std::size_t)>& stream,
           const TransformContext& context) const;

 private:
  std::vector<AugmentStep> steps_;
};

AugmentStep parse_step(const Value& element);
/// Name, parameters with defaults, box code and help of every transform, as a page.
std::string reference_page();

}  // namespace yolov7::dataset
