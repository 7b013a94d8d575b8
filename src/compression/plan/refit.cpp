#include "compression/plan/refit.hpp"

#include <algorithm>
#include <optional>

#include "core/stop.hpp"

namespace yolov7::compression {
namespace {

using network::ActivationNumbers;
using runtime::Prediction;

/// How much of the change is left; below 1 something is gained.
double left(const OutputChange& before, const OutputChange& after) {
  return before.sum() > 0 ? after.sum() / before.sum() : after.sum() > 0 ? 2 : 1;
}

class Judge {
 public:
  Judge(const std::shared_ptr<const network::NetworkAndWeights>& fused,
        std::vector<equivalence::ProofPicture> images)
      : fused_(fused),
        images_(std::move(images)),
        real_(predictions(*runtime::make_openvino_detector(fused, {}), images_)) {}

  OutputChange change(const network::Quantization& plan, const NumberForm& form) const {
    const auto shared = std::make_shared<const network::Quantization>(plan);
    const auto detector =
        runtime::make_quantized_detector(fused_, {shared, form.numbers, form.inner}, {});
    return mean_change(real_, predictions(*detector, images_));
  }
  std::size_t images() const { return images_.size(); }

 private:
  const std::shared_ptr<const network::NetworkAndWeights>& fused_;
  std::vector<equivalence::ProofPicture> images_;
  std::vector<Prediction> real_;
};

/// At most 64 of them, spread.
std::vector<std::size_t> some_places(const std::vector<std::size_t>& places) {
  constexpr std::size_t most = 64;
  std::vector<std::size_t> some;
  const std::size_t count = std::min(most, places.size());
  for (std::size_t i = 0; i < count; ++i) some.push_back(places[i * places.size() / count]);
  return some;
}

}  // namespace

bool gains(const OutputChange& before, const OutputChange& after) {
  return after.sum() < before.sum();
}

std::vector<Refit> refit(const std::shared_ptr<const network::NetworkAndWeights>& fused,
                         network::QuantizationScales& scales, const std::set<std::string>& real,
                         const std::set<NumberForm>& forms, const CalibrationImages& images,
                         const std::stop_token& stop) {
  ReconstructionOptions options;
  options.stop = stop;
  const Judge judge(fused,
                    loaded_images(images, some_places(judging_images(images.count, options))));
  std::vector<Refit> all;
  for (const ActivationNumbers numbers :
       {ActivationNumbers::asymmetric, ActivationNumbers::symmetric}) {
    const network::Quantization before = network::make_quantization(fused->network, scales, real);
    network::Quantization after = before;
    options.numbers = numbers;
    std::optional<Refit> one;
    for (const NumberForm& form : forms) {
      if (form.numbers != numbers) continue;
      if (!one)
        one.emplace(Refit{
            numbers, reconstruct(fused, after, images, options), judge.images(), {}, {}, true});
      check_stop(stop);
      const OutputChange was = judge.change(before, form), is = judge.change(after, form);
      one->kept = one->kept && gains(was, is);
      if (one->before.sum() == 0 || left(was, is) > left(one->before, one->after))
        one->before = was, one->after = is;
    }
    if (!one) continue;
    if (one->kept) scales = after.scales;
    all.push_back(std::move(*one));
  }
  return all;
}

}  // namespace yolov7::compression
