#pragma once
// Who makes and who reads each value of a network.
#include <vector>

#include "network/graph/graph.hpp"

namespace yolov7::network {

/// Points into the network, which has to outlive it.
class Links {
 public:
  explicit Links(const Network& network);

  /// nullptr for the picture, which no operation makes.
  const Operation* producer(int value) const { return producers_[static_cast<std::size_t>(value)]; }

  /// Operations, and levels that give the value out.
  int reader_count(int value) const { return counts_[static_cast<std::size_t>(value)]; }

  /// nullptr where others read the value too, or a level gives it out.
  const Operation* only_reader(int value) const;

  /// nullptr also where the reader is of another kind.
  template <class P>
  const Operation* only_reader(int value) const {
    const Operation* reader = only_reader(value);
    return reader != nullptr && reader->is<P>() ? reader : nullptr;
  }

 private:
  std::vector<const Operation*> producers_,
      readers_;  ///< by value number; of several readers the last
  std::vector<int> counts_;
};

/// Of a RepConv's sum of branches: its 3×3 convolution.
const Operation* rep_dense(const Links& links, const Operation& sum);
/// What a RepConv's branches merge into: its 3×3 convolution `dense` with a bias, under the name
/// `sum.merged`.
Convolution merged_convolution(const Convolution& dense, const Add& sum);

/// What the head reads for each level (lead levels first, as Network::levels): the neck's outputs,
/// before implicit vectors and the head's convolution.
std::vector<int> head_inputs(const Network& network);

/// By value number: whether a lead level (or, asked for, any level) depends on it. Of lead levels:
/// what is left after fusing.
std::vector<char> needed_values(const Network& network, bool auxiliary_too = false);

}  // namespace yolov7::network
