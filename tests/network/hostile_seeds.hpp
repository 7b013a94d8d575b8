#pragma once
// Small valid files of every readable form: what truncations and mutations start from.
#include <string>
#include <vector>

#include "network/checkpoint/checkpoint_file.hpp"
#include "network/checkpoint/safetensors.hpp"
#include "network/checkpoint/state_file.hpp"
#include "tests/network/official_fixture.hpp"

namespace yolov7::network::hostile {

struct Seed {
  std::string name, bytes;
};

inline Checkpoint small_checkpoint() {
  const SmallOfficial small;
  Checkpoint c;
  c.config = small.network.config;
  c.config_source = "small.yaml";
  c.class_count = 2;
  c.names = {"a", "b"};
  c.ema = small.weights;
  return c;
}

inline std::string slurped(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::vector<Seed> seeds() {
  const test::ScratchFolder folder;
  const SmallOfficial small;
  const Checkpoint c = small_checkpoint();
  std::vector<Seed> all;
  for (const bool legacy : {false, true}) {
    OfficialOptions options;
    options.legacy = legacy;
    OfficialFile model(options), tensors(options);
    all.push_back({legacy ? "legacy model" : "zip model",
                   model.bytes(top(model.model(small.network, small.weights, small.yaml)))});
    all.push_back({legacy ? "legacy tensors" : "zip tensors",
                   tensors.bytes(dictionary(
                       {{"model", tensors.tensors(small.weights)}, {"yaml", small.yaml}}))});
  }
  write_checkpoint(folder / "own.pt", c);
  write_state_file(folder / "state.pt", c);
  write_safetensors_checkpoint(folder / "a.safetensors", c);
  for (const char* name : {"own.pt", "state.pt", "a.safetensors"})
    all.push_back({name, slurped(folder / name)});
  return all;
}

}  // namespace yolov7::network::hostile
