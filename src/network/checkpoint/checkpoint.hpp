#pragma once
// A network with its weights, in files. Ours: a PyTorch zip file that torch.load(weights_only=True)
// opens, with tensors under the official names and one JSON text for the rest.
// docs/checkpoint-format.md describes it byte by byte, and which others are read.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "network/graph/weights.hpp"

namespace yolov7::network {

/// Where a checkpoint came from, for people.
struct CheckpointFacts {
  enum class Format { own, model, tensors };  ///< ours; a pickled model; tensors under names
  Format format = Format::own;
  std::string container = "zip";      ///< "zip", "legacy" or "safetensors"
  std::string date;                   ///< as the file says it; "" = it does not
  std::optional<std::int64_t> epoch;  ///< 0-based, the last one finished; none in stripped files
  std::optional<double> best_fitness;
  std::size_t optimizer_tensors = 0;  ///< in the file; those of other programs are not taken over
  std::vector<std::string> notes;     ///< assumptions and what was left out
};

struct Checkpoint {
  Weights model;       ///< training weights; empty in a stripped file
  Weights ema;         ///< averaged weights: what detect, val and fine-tuning take if present
  Weights optimizer;   ///< momentum buffers by parameter name; empty in a stripped file
  std::string config;  ///< network config text
  std::string config_source;
  int class_count = 0;
  std::vector<std::string> names;
  int image_size = 640;
  std::string dataset_identity;  ///< dataset::Index::identity of the train split
  std::string certificate;       ///< JSON: how a derived model was proved equal to its parent
                                 ///< (docs/checkpoint-format.md); "" = none
  std::string quantization;      ///< JSON: ranges that were trained with the weights
                                 ///< (transform/stored_ranges.hpp); "" = none
  std::string
      state;  ///< JSON: epoch, best fitness, settings, schedule … ("" = none); owned by training
  CheckpointFacts facts;

  /// The network of this checkpoint, with its class count and its anchors (the buffers are
  /// authoritative). Where the weights are folded, the folded network (folded.hpp).
  Network build_network() const;
  const Weights& inference_weights() const;  ///< ema if present, else model
};

}  // namespace yolov7::network
