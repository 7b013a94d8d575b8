#include "runtime/openvino/value_stream.hpp"

#include <fmt/format.h>

#include "core/error.hpp"

#ifdef YOLOV7_WITH_OPENVINO

#include <map>
#include <openvino/op/result.hpp>
#include <openvino/runtime/core.hpp>
#include <string>

#include "core/threads.hpp"
#include "runtime/openvino/cpu_properties.hpp"
#include "runtime/openvino/openvino_error.hpp"
#include "runtime/openvino/openvino_model.hpp"
#include "runtime/openvino/value_name.hpp"

namespace yolov7::runtime {
namespace {

std::size_t side(int length) { return static_cast<std::size_t>(length); }

class Stream final : public ValueStream {
 public:
  Stream(std::shared_ptr<const network::NetworkAndWeights> fused, std::vector<int> values,
         int height, int width, const QuantizedForm& form)
      : values_(std::move(values)) {
    OpenvinoModelOptions options;
    options.height = height, options.width = width, options.name_values = true;
    options.quantized = form;
    const auto whole = make_openvino_model(std::move(fused), options);
    std::map<std::string, ov::Output<ov::Node>> named;
    for (const std::shared_ptr<ov::Node>& node : whole->get_ordered_ops())
      for (const ov::Output<ov::Node>& output : node->outputs())
        for (const std::string& name : output.get_names()) named.insert_or_assign(name, output);
    ov::ResultVector results;
    for (const int number : values_) {
      const auto found = named.find(value_name(number));
      if (found == named.end())
        throw Error(fmt::format("value {}: the network does not make it", number));
      results.push_back(std::make_shared<ov::op::v0::Result>(found->second));
    }
    guarded("compile the network for the CPU", [&] {
      request_ = core_
                     .compile_model(std::make_shared<ov::Model>(results, whole->get_parameters()),
                                    "CPU", cpu_properties({}, usable_cores()))
                     .create_infer_request();
    });
  }

  std::vector<StreamedValue> run(const PixelBatch& image) override {
    return guarded("run a part of the model", [&] {
      // OpenVINO takes a non-const pointer and only reads.
      request_.set_input_tensor(ov::Tensor(ov::element::u8,
                                           {1, 3, side(image.height), side(image.width)},
                                           const_cast<std::uint8_t*>(image.pixels.data())));
      request_.infer();
      std::vector<StreamedValue> all;
      for (std::size_t i = 0; i < values_.size(); ++i) {
        const ov::Tensor tensor = request_.get_output_tensor(i);
        const ov::Shape shape = tensor.get_shape();
        all.push_back({values_[i],
                       static_cast<int>(shape.at(1)),
                       static_cast<int>(shape.at(2)),
                       static_cast<int>(shape.at(3)),
                       {tensor.data<float>(), tensor.get_size()}});
      }
      return all;
    });
  }

 private:
  std::vector<int> values_;
  ov::Core core_;
  ov::InferRequest request_;
};

}  // namespace

std::unique_ptr<ValueStream> stream_values(std::shared_ptr<const network::NetworkAndWeights> fused,
                                           std::vector<int> values, int height, int width,
                                           const QuantizedForm& form) {
  return std::make_unique<Stream>(std::move(fused), std::move(values), height, width, form);
}

}  // namespace yolov7::runtime

#else

namespace yolov7::runtime {

std::unique_ptr<ValueStream> stream_values(std::shared_ptr<const network::NetworkAndWeights>,
                                           std::vector<int>, int, int, const QuantizedForm&) {
  throw Error("this build has no OpenVINO, which runs parts of models");
}

}  // namespace yolov7::runtime

#endif
