#pragma once
// A network as a picture: one box a layer, one arrow an input.
#include <string>

#include "network/graph/cost.hpp"

namespace yolov7::network {

/// Graphviz text. `cost` is that of the picture size to be shown.
std::string dot_diagram(const Network& network, const Cost& cost);
/// A picture of its own (SVG 1.1): layers from top to bottom; inputs from further up run in lanes
/// at the side.
std::string svg_diagram(const Network& network, const Cost& cost);

}  // namespace yolov7::network
