#include "nn/exact_outputs.hpp"

#include "nn/torch_network.hpp"

namespace yolov7::nn {
namespace {

std::vector<double> values(const at::Tensor& tensor) {
  const at::Tensor plain = tensor.to(at::kDouble).contiguous();
  return {plain.const_data_ptr<double>(), plain.const_data_ptr<double>() + plain.numel()};
}

}  // namespace

std::vector<equivalence::Outputs> exact_outputs(
    const network::Network& network, const network::Weights& weights,
    std::span<const equivalence::ProofPicture> pictures) {
  at::NoGradGuard no_gradient;
  TorchNetwork torch(network, at::kDouble);
  torch.load(weights);
  std::vector<equivalence::Outputs> result;
  for (const equivalence::ProofPicture& picture : pictures) {
    const at::Tensor bytes = at::from_blob(const_cast<std::uint8_t*>(picture.pixels.data()),
                                           {1, 3, picture.height, picture.width}, at::kByte);
    const std::vector<at::Tensor> maps = torch.forward(bytes.to(at::kDouble).div_(255));
    equivalence::Outputs outputs;
    for (const at::Tensor& map : maps) outputs.raw.push_back(values(map));
    const at::Tensor rows = decode(maps, torch.description());
    outputs.decoded = values(rows);
    outputs.columns = static_cast<int>(rows.size(2));
    result.push_back(std::move(outputs));
  }
  return result;
}

}  // namespace yolov7::nn
