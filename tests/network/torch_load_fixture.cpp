// Writes the checkpoint that torch_load_peer.py opens: every type, a 0-d and an empty tensor, known
// values.
#include <cstring>
#include <iostream>
#include <numeric>

#include "network/checkpoint/checkpoint_file.hpp"

int main(int argc, char** argv) {
  using namespace yolov7::network;
  if (argc != 2) return 2;
  std::vector<double> values(12);
  std::iota(values.begin(), values.end(), -3.5);
  const Tensor plain = Tensor::from(values, {3, 4});
  Checkpoint c;
  c.config = "nc: 1\n";
  c.class_count = 1;
  c.names = {"käfer"};
  c.state = "{\"epoch\": 7}";
  c.model.set("float16", plain.converted(DataType::float16));
  c.model.set("bfloat16", plain.converted(DataType::bfloat16));
  c.model.set("float32", plain.converted(DataType::float32));
  c.model.set("float64", plain);
  Tensor count;
  count.type = DataType::int64;
  count.bytes.resize(8);
  const std::int64_t value = -1234567890123;
  std::memcpy(count.bytes.data(), &value, 8);
  c.model.set("int64", count);
  Tensor small;
  small.type = DataType::uint8;
  small.shape = {2, 1, 2};
  small.bytes = {std::byte{0}, std::byte{1}, std::byte{254}, std::byte{255}};
  c.model.set("uint8", small);
  c.model.set("empty", Tensor::from(std::vector<float>(), {0, 4}));
  c.ema.set("model.0.conv.weight", Tensor::from(std::vector<float>(8 * 27, 0.5F), {8, 3, 3, 3}));
  try {
    write_checkpoint(argv[1], c);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
