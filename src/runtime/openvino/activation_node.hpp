#pragma once
// An activation as a node of OpenVINO. Included where OpenVINO is.
#include "network/graph/graph.hpp"

namespace ov {
class Node;
template <class NodeType>
class Output;
}  // namespace ov

namespace yolov7::runtime {

/// The activation of `x`; `x` itself for the identity.
ov::Output<ov::Node> activated(const ov::Output<ov::Node>& x,
                               const network::Activation& activation);

}  // namespace yolov7::runtime
