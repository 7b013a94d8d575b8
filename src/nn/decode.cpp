// The program around a network (network/graph/detector_program.hpp), executed by LibTorch.
#include <cmath>
#include <utility>

#include "core/overloaded.hpp"
#include "network/graph/detector_program.hpp"
#include "nn/torch_network.hpp"

namespace yolov7::nn {
namespace {

using Inputs = std::vector<at::Tensor>;

/// `values` as a tensor of x's type, on its device.
at::Tensor constant(const std::vector<double>& values, const at::Tensor& x,
                    std::vector<std::int64_t> shape) {
  return at::tensor(values, at::kDouble).to(x.options()).view(shape);
}

at::Tensor execute(const network::PixelsToUnit&, const Inputs& in) {
  return in[0].to(at::kFloat).div_(255).contiguous(at::MemoryFormat::ChannelsLast);
}
at::Tensor execute(const network::Activate& activate, const Inputs& in) {
  return nn::activate(in[0], activate.activation);
}
at::Tensor execute(const network::Multiply&, const Inputs& in) { return in[0] * in[1]; }

at::Tensor execute(const network::ToRows& rows, const Inputs& in) {
  const at::Tensor& x = in[0];
  return x.reshape({x.size(0), rows.anchors, rows.columns, x.size(2) * x.size(3)})
      .permute({0, 1, 3, 2});
}

at::Tensor execute(const network::ScaleRows& scale, const Inputs& in) {
  return in[0] * constant(scale.factors, in[0], {1, scale.anchors, 1, scale.columns});
}

at::Tensor execute(const network::ShiftRows& shift, const Inputs& in) {
  return in[0] +
         constant(shift.terms, in[0], {1, 1, 1, static_cast<std::int64_t>(shift.terms.size())});
}

at::Tensor execute(const network::AddCellOffsets& offsets, const Inputs& in) {
  const auto options = in[0].options();
  const auto places =
      at::meshgrid({at::arange(offsets.height, options), at::arange(offsets.width, options)}, "ij");
  const at::Tensor centre = (at::stack({places[1], places[0]}, -1) - 0.5) * offsets.stride;
  const at::Tensor all = at::constant_pad_nd(centre, {0, offsets.columns - 2});
  return in[0] + all.view({1, 1, -1, offsets.columns});
}

at::Tensor execute(const network::JoinRows& join, const Inputs& in) {
  std::vector<at::Tensor> levels;
  for (const at::Tensor& rows : in)
    levels.push_back(rows.reshape({rows.size(0), rows.size(1) * rows.size(2), join.columns}));
  return at::cat(levels, 1);
}

void run(const std::vector<network::DetectorOperation>& operations, Inputs& values) {
  for (const network::DetectorOperation& operation : operations) {
    Inputs in;
    for (const int input : operation.inputs) in.push_back(values[static_cast<std::size_t>(input)]);
    values[static_cast<std::size_t>(operation.output)] = std::visit(
        [&](const auto& primitive) { return execute(primitive, in); }, operation.primitive);
  }
}

}  // namespace

at::Tensor decode(const std::vector<at::Tensor>& maps, const network::Network& network) {
  const auto side = [&](int axis) {
    const double cells = static_cast<double>(maps.at(0).size(axis));
    return static_cast<int>(std::lround(cells * network.levels.at(0).stride));
  };
  const network::DetectorProgram program =
      network::lower_detector(network, side(2), side(3), false);
  Inputs values(static_cast<std::size_t>(program.value_count));
  for (std::size_t i = 0; i < network.lead_levels(); ++i) {
    const at::Tensor& map = maps.at(i);  // [B, na, H, W, no] → [B, na · no, H, W]
    values[static_cast<std::size_t>(network.levels[i].value)] =
        map.permute({0, 1, 4, 2, 3})
            .reshape({map.size(0), map.size(1) * map.size(4), map.size(2), map.size(3)});
  }
  run(program.after, values);
  return values[static_cast<std::size_t>(program.rows)];
}

}  // namespace yolov7::nn
