#pragma once
// The face of libyolov7-training towards the program, which loads it only when a verb needs
// LibTorch. Plain types.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "network/graph.hpp"
#include "network/weights.hpp"
#include "runtime/detector.hpp"
#include "runtime/proof.hpp"
#include "training/anchor_search.hpp"
#include "training/options.hpp"
#include "training/world.hpp"

namespace yolov7::training {

struct TrainRequest {
  TrainOptions options;
  std::vector<std::string> given;  ///< names of the options that stood on the command line
  std::string run_folder;  ///< made by the caller where world.writes(); empty when a run is resumed
  World world;             ///< this process among those that train together
};

struct TrainSummary {
  std::string run_folder;
  int epochs_done = 0, best_epoch = -1;
  double best_fitness = 0;
  double map50 = 0, map = 0;  ///< COCO, of the best epoch, on the validation split
  double seconds = 0;
  int skipped_batches = 0;  ///< whose loss or gradients were not finite
  std::uint64_t predicted_peak_bytes = 0, peak_bytes = 0;  ///< resident memory of this process
  bool interrupted = false;                                ///< Ctrl-C: last.pt can be resumed
  std::string best, last;                                  ///< checkpoints; empty if not written
};

struct Api {
  TrainSummary (*train)(const TrainRequest& request);
  std::unique_ptr<runtime::Detector> (*make_detector)(const network::Network& network,
                                                      const network::Weights& weights,
                                                      const runtime::DetectorOptions& options);
  AnchorSearch (*search_anchors)(const dataset::Index& index, int image_size,
                                 const AnchorSearchOptions& options);
  std::vector<runtime::Outputs> (*exact_outputs)(const network::Network& network,
                                                 const network::Weights& weights,
                                                 std::span<const runtime::ProofPicture> pictures);
};

}  // namespace yolov7::training

extern "C" const yolov7::training::Api* yolov7_training_api();
