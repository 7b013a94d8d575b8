// For safetensors_peer.py. "write FILE": every type, a 0-d and an empty tensor, known values,
// metadata. "check FILE": what the Python package wrote from the same values is read back; a
// message and exit code 1 where something differs.
#include <cstring>
#include <iostream>
#include <numeric>

#include "network/checkpoint/safetensors.hpp"

using namespace yolov7::network;

namespace {

Weights known_values() {
  std::vector<double> values(12);
  std::iota(values.begin(), values.end(), -3.5);  // exact in every type
  const Tensor plain = Tensor::from(values, {3, 4});
  Weights weights;
  weights.set("model.0.conv.weight", plain.converted(DataType::float16));
  weights.set("float32", plain.converted(DataType::float32));
  weights.set("float64", plain);
  Tensor count;
  count.type = DataType::int64;
  count.bytes.resize(8);
  const std::int64_t value = -1234567890123;
  std::memcpy(count.bytes.data(), &value, 8);
  weights.set("count", count);
  weights.set("empty", Tensor::from(std::vector<float>(), {0, 4}));
  return weights;
}

int check(const std::string& path) {
  const SafetensorsFile found = read_safetensors(path);
  const Weights expected = known_values();
  for (const auto& [name, tensor] : expected.entries()) {
    const Tensor& read = found.weights.at(name);
    if (read.type == tensor.type && read.shape == tensor.shape && read.bytes == tensor.bytes)
      continue;
    std::cerr << name << " differs\n";
    return 1;
  }
  if (found.weights.size() != expected.size() || found.metadata.at("note") != "käfer \"x\"") {
    std::cerr << "expected " << expected.size() << " tensors and the note, found "
              << found.weights.size() << '\n';
    return 1;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  try {
    if (std::string(argv[1]) == "check") return check(argv[2]);
    write_safetensors(argv[2], {known_values(), {{"note", "käfer \"x\""}}});
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
