#include "network/transform/smallest_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.hpp"

namespace yolov7::network {

SparseWeights without_smallest_weights(const Network& network, const Weights& weights,
                                       double amount) {
  if (!(amount >= 0 && amount <= 1))
    throw Error(fmt::format("expected a share of 0 to 1 of the weights, found {}", amount));
  check(network, weights);
  SparseWeights result;
  for (const auto& [name, tensor] : weights.entries()) result.weights.set(name, tensor);
  for (const Operation& op : network.operations) {
    const Convolution* conv = op.as<Convolution>();
    if (conv == nullptr) continue;
    const Tensor& old = weights.at(conv->tensor + ".weight");
    std::vector<double> values = old.to_doubles();
    std::vector<std::size_t> order(values.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return std::abs(values[a]) < std::abs(values[b]);
    });
    const auto going =
        static_cast<std::size_t>(std::lround(amount * static_cast<double>(values.size())));
    for (std::size_t i = 0; i < going; ++i) values[order[i]] = 0;
    result.weights.set(conv->tensor + ".weight",
                       Tensor::from(values, old.shape).converted(old.type));
  }
  for (const TensorSpec& spec : network.tensors) {
    if (!spec.trainable()) continue;
    for (const double value : result.weights.at(spec.name).to_doubles()) {
      ++result.elements;
      result.zeros += value == 0;
    }
  }
  return result;
}

}  // namespace yolov7::network
