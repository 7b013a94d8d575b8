#pragma once
// Our checkpoint: a PyTorch zip file that torch.load(weights_only=True) opens, with tensors under the official names
// and one JSON text for the rest. docs/checkpoint-format.md describes it byte by byte.
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <memory>
#include <string>
#include <vector>

#include "network/weights.hpp"

namespace yolov7::network {

struct Checkpoint {
  Weights model;                     ///< training weights; empty in a stripped file
  Weights ema;                       ///< averaged weights: what detect, val and fine-tuning take if present
  Weights optimizer;                 ///< momentum buffers by parameter name; empty in a stripped file
  std::string config;                ///< network config text
  std::string config_source;
  int class_count = 0;
  std::vector<std::string> names;
  int image_size = 640;
  std::string dataset_identity;      ///< dataset::Index::identity of the train split
  std::string state;                 ///< JSON: epoch, best fitness, settings, schedule … ("" = none); owned by training

  /// The network of this checkpoint, with its class count and its anchors (the buffers are authoritative).
  Network build_network() const;
  const Weights& inference_weights() const;  ///< ema if present, else model
};

/// Atomic (temporary, fsync, rename); a full disk leaves the old file.
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);
/// Executes nothing: a structural allow-list over the pickle, bounds on everything, CRC checked. Errors name file and
/// what is wrong: cut, foreign (an official pickle that this version cannot read yet), of a newer format.
Checkpoint read_checkpoint(const std::filesystem::path& path);

}  // namespace yolov7::network
