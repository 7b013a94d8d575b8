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

  /// nullptr where others read the value too, or a level gives it out, or its reader is of another
  /// kind.
  const Operation* only_reader(int value, Operation::Kind kind) const;

 private:
  std::vector<const Operation*> producers_,
      readers_;  ///< by value number; of several readers the last
  std::vector<int> counts_;
};

/// By value number: whether a lead level (or, asked for, any level) depends on it. Of lead levels:
/// what is left after fusing.
std::vector<char> needed_values(const Network& network, bool auxiliary_too = false);

}  // namespace yolov7::network
