#include "runtime/openvino/activation_node.hpp"

#include <memory>
#include <openvino/op/clamp.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/prelu.hpp>
#include <openvino/op/relu.hpp>
#include <openvino/op/sigmoid.hpp>
#include <openvino/op/swish.hpp>

#include "core/error.hpp"

namespace yolov7::runtime {

ov::Output<ov::Node> activated(const ov::Output<ov::Node>& x,
                               const network::Activation& activation) {
  using network::ActivationKind;
  switch (activation.kind) {
    case ActivationKind::identity: return x;
    case ActivationKind::silu: return std::make_shared<ov::op::v4::Swish>(x);
    case ActivationKind::relu: return std::make_shared<ov::op::v0::Relu>(x);
    case ActivationKind::relu6: return std::make_shared<ov::op::v0::Clamp>(x, 0, 6);
    case ActivationKind::sigmoid: return std::make_shared<ov::op::v0::Sigmoid>(x);
    case ActivationKind::leaky_relu:
      return std::make_shared<ov::op::v0::PRelu>(
          x, std::make_shared<ov::op::v0::Constant>(ov::element::f32, ov::Shape{1},
                                                    static_cast<float>(activation.slope)));
  }
  throw Error("unknown activation");
}

}  // namespace yolov7::runtime
