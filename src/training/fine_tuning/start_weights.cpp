#include "training/fine_tuning/start_weights.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/builtin.hpp"
#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "network/checkpoint/checkpoint_file.hpp"

namespace yolov7::training {

bool names_start(const std::string& weights) { return weights == "synth" || weights == "auto"; }

network::Checkpoint read_start() {
  const auto path = delivered_file("weights/yolov7-tiny-synth.pt");
  if (!std::filesystem::exists(path))
    throw Error(
        fmt::format("{}: expected the start weights of yolov7-tiny, found no such file. They "
                    "belong to this program; {} '' trains from scratch without them",
                    path.string(), setting_name("weights")));
  return network::read_checkpoint(path);
}

std::string first_misfit(const network::Checkpoint& start, const nn::TorchNetwork& network) {
  const std::string head = fmt::format("model.{}.", network.description().head_layer);
  const network::Weights& weights = start.inference_weights();
  for (const nn::TorchNetwork::Entry& entry : network.entries()) {
    if (entry.spec.name.rfind(head, 0) == 0) continue;
    const network::Tensor* found = weights.find(entry.spec.name);
    if (found == nullptr) return fmt::format("it has no {}", entry.spec.name);
    if (found->shape != entry.spec.shape)
      return fmt::format("its {} is {}, and {} here", entry.spec.name, found->shape,
                         entry.spec.shape);
  }
  return {};
}

}  // namespace yolov7::training
