#include "network/graph/links.hpp"

#include <stdexcept>

namespace yolov7::network {

Links::Links(const Network& network)
    : producers_(static_cast<std::size_t>(network.value_count), nullptr),
      readers_(producers_),
      counts_(producers_.size(), 0) {
  for (const Operation& op : network.operations) {
    producers_[static_cast<std::size_t>(op.output)] = &op;
    for (const int input : op.inputs) {
      readers_[static_cast<std::size_t>(input)] = &op;
      ++counts_[static_cast<std::size_t>(input)];
    }
  }
  for (const Level& level : network.levels) ++counts_[static_cast<std::size_t>(level.value)];
}

const Operation* Links::only_reader(int value) const {
  return reader_count(value) == 1 ? readers_[static_cast<std::size_t>(value)] : nullptr;
}

const Operation* rep_dense(const Links& links, const Operation& sum) {
  for (const int input : sum.inputs) {
    const Operation* from = links.producer(input);
    const BatchNorm* norm = from == nullptr ? nullptr : from->as<BatchNorm>();
    if (norm != nullptr && norm->branch == RepBranch::dense) return links.producer(from->inputs[0]);
  }
  throw std::logic_error("a sum of RepConv branches without a dense one");
}

Convolution merged_convolution(const Convolution& dense, const Add& sum) {
  Convolution merged = dense;
  merged.tensor = sum.merged;
  merged.bias = true;
  merged.branch = RepBranch::none;
  return merged;
}

std::vector<int> head_inputs(const Network& network) {
  const Links links(network);
  std::vector<int> inputs;
  for (const Level& level : network.levels) {
    int value = level.value;
    // im, m and ia, as far as the head has them: all of one layer.
    for (const Operation* op = links.producer(value);
         op != nullptr && op->layer == network.head_layer; op = links.producer(value))
      value = op->inputs.front();
    inputs.push_back(value);
  }
  return inputs;
}

std::vector<char> needed_values(const Network& network, bool auxiliary_too) {
  std::vector<char> needed(static_cast<std::size_t>(network.value_count), 0);
  for (const Level& level : network.levels)
    if (auxiliary_too || !level.auxiliary) needed[static_cast<std::size_t>(level.value)] = 1;
  for (auto op = network.operations.rbegin(); op != network.operations.rend(); ++op)
    if (needed[static_cast<std::size_t>(op->output)] != 0)
      for (const int input : op->inputs) needed[static_cast<std::size_t>(input)] = 1;
  return needed;
}

}  // namespace yolov7::network
