#include "training/float_parent.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "network/graph/weights.hpp"

namespace yolov7::training {
namespace {

void require_same_classes(const std::vector<std::string>& own,
                          const std::vector<std::string>& of_data) {
  if (own.size() != of_data.size())
    throw Error(
        fmt::format("{}: expected the {} classes that the network was trained for, found "
                    "{} in the data",
                    setting_name("qat"), own.size(), of_data.size()));
  for (std::size_t i = 0; i < own.size(); ++i)
    if (own[i] != of_data[i])
      throw Error(fmt::format(
          "{}: expected the classes that the network was trained for, in their "
          "order: class {} is '{}', found '{}' in the data",
          setting_name("qat"), i, text::printable(own[i]), text::printable(of_data[i])));
}

}  // namespace

void require_float_parent(const network::Checkpoint& initial, const run::RunState& state) {
  if (!initial.quantization.empty())
    throw Error(fmt::format(
        "{}: it was trained for integers already: expected the float32 network that it began with "
        "({} goes on with a run)",
        state.options.weights, setting_name("resume")));
  if (state.hyp.anchors > 0)
    throw Error(fmt::format("{}: the network is that of {}: expected anchors: 0 in {}, found {}",
                            setting_name("qat"), setting_name("weights"), state.options.hyp,
                            state.hyp.anchors));
}

std::unique_ptr<nn::TorchNetwork> folded_network(const network::Checkpoint& from,
                                                 const std::vector<std::string>& names,
                                                 at::Device device) {
  require_same_classes(from.names, names);
  const network::NetworkAndWeights folded =
      network::fuse(from.build_network(), from.inference_weights());
  if (!network::is_fused(folded.network))
    throw Error(fmt::format("{}: expected batch-norms behind convolutions, which can be folded",
                            setting_name("qat")));
  auto network = std::make_unique<nn::TorchNetwork>(folded.network, at::kFloat, device);
  network->load(folded.weights);
  return network;
}

}  // namespace yolov7::training
