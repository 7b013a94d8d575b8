#pragma once
// One element of a config entry's argument list: a fixed grammar, nothing is evaluated
// (architecture 2.1a).
#include <string>
#include <vector>

#include "core/value.hpp"
#include "network/graph/graph.hpp"

namespace yolov7::network {

struct Argument {
  enum class Kind { none, number, boolean, text, activation, class_count, anchors, list };
  Kind kind = Kind::none;
  double number = 0;
  bool boolean = false;
  std::string text;
  Activation activation;
  std::vector<Argument> list;
  const Value* place = nullptr;  ///< for messages; outlives the argument
};

/// Error with file, line and column for anything outside the grammar.
Argument parse_argument(const Value& value);
/// As it would stand in a config.
std::string describe(const Argument& argument);

}  // namespace yolov7::network
