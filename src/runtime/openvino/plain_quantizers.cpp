#include "runtime/openvino/plain_quantizers.hpp"

#include <openvino/core/model.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/fake_quantize.hpp>
#include <openvino/op/multiply.hpp>
#include <openvino/op/subtract.hpp>
#include <optional>

namespace yolov7::runtime {
namespace {

using Node = std::shared_ptr<ov::Node>;

/// Of a constant of one element, also behind a conversion.
std::optional<float> number(ov::Output<ov::Node> value) {
  if (ov::is_type<ov::op::v0::Convert>(value.get_node_shared_ptr()))
    value = value.get_node_shared_ptr()->input_value(0);
  const auto constant = ov::as_type_ptr<ov::op::v0::Constant>(value.get_node_shared_ptr());
  if (!constant || ov::shape_size(constant->get_shape()) != 1) return std::nullopt;
  return constant->cast_vector<float>().front();
}

Node only_reader(const Node& node) {
  const auto readers = node->output(0).get_target_inputs();
  return readers.size() == 1 ? readers.begin()->get_node()->shared_from_this() : nullptr;
}

/// Numbers → real: what follows the quantizer.
struct Opposite {
  Node last;
  float zero = 0, scale = 1;
};

std::optional<Opposite> opposite(const Node& quantizer) {
  Node at = only_reader(quantizer);
  int conversions = 0;
  for (; at && ov::is_type<ov::op::v0::Convert>(at); at = only_reader(at)) ++conversions;
  if (!at || conversions == 0) return std::nullopt;
  Opposite found;
  if (ov::is_type<ov::op::v1::Subtract>(at)) {
    const auto zero = number(at->input_value(1));
    if (!zero) return std::nullopt;
    found.zero = *zero;
    at = only_reader(at);
  }
  if (!at || !ov::is_type<ov::op::v1::Multiply>(at)) return std::nullopt;
  const auto scale = number(at->input_value(1));
  if (!scale) return std::nullopt;
  found.scale = *scale;
  found.last = at;
  return found;
}

std::shared_ptr<ov::op::v0::Constant> scalar(float value) {
  return std::make_shared<ov::op::v0::Constant>(ov::element::f32, ov::Shape{},
                                                std::vector<float>{value});
}

}  // namespace

int merge_quantizers(ov::Model& model) {
  int merged = 0;
  for (const Node& node : model.get_ordered_ops()) {
    const auto quantizer = ov::as_type_ptr<ov::op::v0::FakeQuantize>(node);
    if (!quantizer) continue;
    const auto low = number(quantizer->input_value(3)), high = number(quantizer->input_value(4));
    const auto back = opposite(node);
    if (!low || !high || !back) continue;
    const auto plain = std::make_shared<ov::op::v0::FakeQuantize>(
        quantizer->input_value(0), quantizer->input_value(1), quantizer->input_value(2),
        scalar((*low - back->zero) * back->scale), scalar((*high - back->zero) * back->scale),
        quantizer->get_levels());
    plain->set_friendly_name(back->last->get_friendly_name());
    plain->output(0).set_names(back->last->output(0).get_names());
    back->last->output(0).replace(plain->output(0));
    ++merged;
  }
  return merged;
}

}  // namespace yolov7::runtime
