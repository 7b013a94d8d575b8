#include "network/transform/initial_norms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.hpp"
#include "network/graph/links.hpp"

namespace yolov7::network {
namespace {

constexpr double most_difference = 0.01;

void put(Weights& weights, const std::string& name, const std::vector<double>& values) {
  const Tensor& old = weights.at(name);
  weights.set(name, Tensor::from(values, old.shape).converted(old.type));
}

void scale(Weights& weights, const std::string& name, double factor) {
  std::vector<double> values = weights.at(name).to_doubles();
  for (double& value : values) value *= factor;
  put(weights, name, values);
}

/// The convolution's factor; 1 = it stays.
double shrink(Weights& weights, const Convolution& conv, const BatchNorm& norm) {
  const std::vector<double> w = weights.at(conv.tensor + ".weight").to_doubles();
  const double length = std::sqrt(std::inner_product(w.begin(), w.end(), w.begin(), 0.0));
  const double factor = std::sqrt(conv.out_channels / 3.0) / length;
  if (!(factor < 1)) return 1;
  std::vector<double> gamma = weights.at(norm.tensor + ".weight").to_doubles(),
                      variance = weights.at(norm.tensor + ".running_var").to_doubles();
  for (std::size_t c = 0; c < gamma.size(); ++c) {
    const double scaled = factor * factor * variance[c];
    gamma[c] *=
        std::sqrt((scaled + batch_norm_epsilon) / (variance[c] + batch_norm_epsilon)) / factor;
    variance[c] = scaled;
  }
  scale(weights, conv.tensor + ".weight", factor);
  if (conv.bias) scale(weights, conv.tensor + ".bias", factor);
  scale(weights, norm.tensor + ".running_mean", factor);
  put(weights, norm.tensor + ".running_var", variance);
  put(weights, norm.tensor + ".weight", gamma);
  return factor;
}

double folded_difference(const Network& network, const Weights& before, const Weights& after) {
  const NetworkAndWeights parent = fuse(network, before, DataType::float64),
                          child = fuse(network, after, DataType::float64);
  double most = 0;
  for (const auto& [name, tensor] : parent.weights.entries()) {
    const std::vector<double> a = tensor.to_doubles(), b = child.weights.at(name).to_doubles();
    double largest = 0, apart = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
      largest = std::max(largest, std::abs(a[i]));
      if (!std::isfinite(a[i] - b[i]))
        throw Error(fmt::format("initial norms: {} is not finite", name));
      apart = std::max(apart, std::abs(a[i] - b[i]));
    }
    if (apart > 0) most = std::max(most, apart / largest);
  }
  return most;
}

}  // namespace

InitialNorms with_initial_norms(const Network& network, const Weights& weights) {
  check(network, weights);
  const Links links(network);
  InitialNorms result;
  result.weights = weights;
  for (const Operation& op : network.operations) {
    const Convolution* conv = op.as<Convolution>();
    const Operation* norm = conv == nullptr ? nullptr : links.only_reader<BatchNorm>(op.output);
    if (norm == nullptr) continue;
    const double factor = shrink(result.weights, *conv, *norm->as<BatchNorm>());
    if (factor == 1) continue;
    ++result.convolutions;
    result.smallest = std::min(result.smallest, factor);
  }
  result.difference = folded_difference(network, weights, result.weights);
  if (result.difference > most_difference)
    throw Error(
        fmt::format("initial norms: expected the same folded network, found weights {:.2g} apart",
                    result.difference));
  return result;
}

}  // namespace yolov7::network
