#include "runtime/openvino/convolution_time.hpp"

#include "core/error.hpp"

#ifdef YOLOV7_WITH_OPENVINO

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <map>
#include <openvino/core/model.hpp>
#include <openvino/op/add.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/group_conv.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/result.hpp>
#include <openvino/runtime/core.hpp>
#include <openvino/runtime/properties.hpp>
#include <utility>
#include <vector>

#include "core/stop.hpp"
#include "core/threads.hpp"
#include "runtime/openvino/activation_node.hpp"
#include "runtime/openvino/cpu_properties.hpp"
#include "runtime/openvino/openvino_error.hpp"

namespace yolov7::runtime {
namespace {

using Value = ov::Output<ov::Node>;

constexpr int least_runs = 16, most_runs = 100;
constexpr std::chrono::milliseconds enough(8);  ///< of runs, where least_runs take less

std::size_t size(int n) { return static_cast<std::size_t>(n); }

std::shared_ptr<ov::op::v0::Constant> filled(const ov::Shape& shape, float value) {
  return std::make_shared<ov::op::v0::Constant>(ov::element::f32, shape,
                                                std::vector<float>(ov::shape_size(shape), value));
}

std::shared_ptr<ov::Model> model_of(const network::TimedConvolution& one) {
  const network::Convolution& conv = one.shape;
  const auto input = std::make_shared<ov::op::v0::Parameter>(
      ov::element::f32, ov::Shape{1, size(conv.in_channels), size(one.height), size(one.width)});
  const ov::Strides strides{size(conv.stride), size(conv.stride)},
      dilations{size(conv.dilation), size(conv.dilation)};
  const ov::CoordinateDiff pads{conv.pad_h, conv.pad_w};
  const std::size_t out = size(conv.out_channels), groups = size(conv.groups),
                    in = size(conv.in_channels / conv.groups), kh = size(conv.kernel_h),
                    kw = size(conv.kernel_w);
  std::shared_ptr<ov::Node> y;
  if (conv.groups == 1)
    y = std::make_shared<ov::op::v1::Convolution>(input, filled({out, in, kh, kw}, 0.01f), strides,
                                                  pads, pads, dilations);
  else
    y = std::make_shared<ov::op::v1::GroupConvolution>(
        input, filled({groups, out / groups, in, kh, kw}, 0.01f), strides, pads, pads, dilations);
  const Value biased = std::make_shared<ov::op::v1::Add>(y, filled({1, out, 1, 1}, 0.1f));
  return std::make_shared<ov::Model>(ov::OutputVector{activated(biased, one.activation)},
                                     ov::ParameterVector{input});
}

/// Of the run behind the request: what is no change of layout.
double seconds_of(const ov::InferRequest& request) {
  std::chrono::microseconds sum(0);
  for (const ov::ProfilingInfo& node : request.get_profiling_info()) {
    if (node.status != ov::ProfilingInfo::Status::EXECUTED) continue;
    const bool moves = node.node_type == "Reorder" || node.node_type == "Convert" ||
                       node.node_type == "Parameter" || node.node_type == "Result";
    if (!moves) sum += node.real_time;
  }
  return std::chrono::duration<double>(sum).count();
}

class OpenvinoTimes final : public ConvolutionTimes {
 public:
  OpenvinoTimes(const DetectorOptions& options, std::stop_token stop)
      : properties_(cpu_properties(options, threads_or_all(options.threads))),
        stop_(std::move(stop)) {
    if (precision_type(options.precision) == ov::element::bf16)
      guarded("list the CPU's capabilities", [&] { require_bfloat16(core_); });
    properties_.insert(ov::enable_profiling(true));
  }

  double operator()(const network::TimedConvolution& one) override {
    const network::Convolution& c = one.shape;
    const Key key{c.in_channels, c.out_channels, c.kernel_h, c.kernel_w,
                  c.stride,      c.groups,       c.dilation, c.pad_h,
                  c.pad_w,       one.height,     one.width,  static_cast<int>(one.activation.kind)};
    if (const auto known = times_.find(key); known != times_.end()) return known->second;
    check_stop(stop_);
    const double seconds = guarded("time a convolution", [&] { return measure(one); });
    times_.emplace(key, seconds);
    return seconds;
  }

  std::size_t measured() const override { return times_.size(); }

 private:
  using Key = std::array<int, 12>;

  double measure(const network::TimedConvolution& one) {
    ov::CompiledModel compiled = core_.compile_model(model_of(one), "CPU", properties_);
    ov::InferRequest request = compiled.create_infer_request();
    ov::Tensor input = request.get_input_tensor();
    std::fill_n(input.data<float>(), input.get_size(), 0.5f);
    request.infer();
    double least = std::numeric_limits<double>::infinity();
    const auto begin = std::chrono::steady_clock::now();
    for (int run = 0; run < most_runs; ++run) {
      request.infer();
      least = std::min(least, seconds_of(request));
      if (run + 1 >= least_runs && std::chrono::steady_clock::now() - begin > enough) break;
    }
    return least;
  }

  ov::Core core_;
  ov::AnyMap properties_;
  std::stop_token stop_;
  std::map<Key, double> times_;
};

}  // namespace

std::unique_ptr<ConvolutionTimes> convolution_times(const DetectorOptions& options,
                                                    std::stop_token stop) {
  return std::make_unique<OpenvinoTimes>(options, std::move(stop));
}

}  // namespace yolov7::runtime

#else

namespace yolov7::runtime {

std::unique_ptr<ConvolutionTimes> convolution_times(const DetectorOptions&, std::stop_token) {
  throw Error("times of convolutions: this build has no OpenVINO");
}

}  // namespace yolov7::runtime

#endif
