// Features of a converted backbone, by the reference interpreter, for backbones_peer.py:
// backbone_fixture CHECKPOINT IMAGE SIDE FEATURES. IMAGE: [3, SIDE, SIDE] as float32 in 0 … 1.
// FEATURES: the maps that the neck reads, finest first, as float32 one after the other.
#include <cstring>
#include <fstream>
#include <iostream>
#include <iterator>
#include <set>

#include "network/checkpoint/checkpoint_file.hpp"
#include "tests/runtime/reference_interpreter.hpp"

namespace {

using namespace yolov7;

/// The backbone alone; its levels are what layers behind it read.
network::Network backbone_of(network::Network network) {
  std::set<int> read;
  for (const network::Layer& layer : network.layers)
    for (const int input : layer.inputs)
      if (layer.index >= network.backbone_layers && input < network.backbone_layers)
        read.insert(input);
  network.levels.clear();
  for (const int layer : read)
    network.levels.push_back(
        {network.layers[static_cast<std::size_t>(layer)].output_value, 1, {}, false});
  std::erase_if(network.operations,
                [&](const network::Operation& op) { return op.layer >= network.backbone_layers; });
  return network;
}

void write_features(char** argv) {
  const network::Checkpoint checkpoint = network::read_checkpoint(argv[1]);
  const network::Network network = backbone_of(checkpoint.build_network());
  reference::Tensors tensors;
  for (const auto& [name, tensor] : checkpoint.inference_weights().entries())
    tensors[name] = tensor.to_doubles();
  const int side = std::stoi(argv[3]);
  reference::Map image(1, 3, side, side);
  std::ifstream in(argv[2], std::ios::binary);
  for (double& value : image.values) {
    float number = 0;
    in.read(reinterpret_cast<char*>(&number), sizeof number);
    value = static_cast<double>(number);
  }
  std::ofstream out(argv[4], std::ios::binary);
  for (const reference::Map& map : reference::Interpreter(network, tensors).run(image, false))
    for (const double value : map.values) {
      const auto number = static_cast<float>(value);
      out.write(reinterpret_cast<const char*>(&number), sizeof number);
    }
  if (!in || !out) throw std::runtime_error("an image of the given side, and a file to write");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  try {
    write_features(argv);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
