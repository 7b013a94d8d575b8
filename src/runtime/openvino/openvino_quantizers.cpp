#include "runtime/openvino/openvino_quantizers.hpp"

#include <openvino/op/constant.hpp>
#include <openvino/op/convert.hpp>
#include <openvino/op/fake_quantize.hpp>
#include <openvino/op/multiply.hpp>

namespace yolov7::runtime {

ov::Output<ov::Node> quantized_value(const ov::Output<ov::Node>& value,
                                     const network::ValueScale& scale,
                                     network::ActivationNumbers numbers) {
  const bool symmetric = numbers == network::ActivationNumbers::symmetric;
  const auto number = [](float one) {
    return std::make_shared<ov::op::v0::Constant>(ov::element::f32, ov::Shape{},
                                                  std::vector<float>{one});
  };
  const auto low = number(symmetric ? -128 * scale.symmetric : scale.low()),
             high = number(symmetric ? 127 * scale.symmetric : scale.high());
  constexpr std::size_t levels = 256;
  return std::make_shared<ov::op::v0::FakeQuantize>(value, low, high, low, high, levels);
}

ov::Output<ov::Node> quantized_weights(const network::QuantizedWeight& weight,
                                       const ov::Shape& shape, const ov::Shape& scales) {
  const auto numbers =
      std::make_shared<ov::op::v0::Constant>(ov::element::i8, shape, weight.numbers);
  return std::make_shared<ov::op::v1::Multiply>(
      std::make_shared<ov::op::v0::Convert>(numbers, ov::element::f32),
      std::make_shared<ov::op::v0::Constant>(ov::element::f32, scales, weight.scales));
}

}  // namespace yolov7::runtime
