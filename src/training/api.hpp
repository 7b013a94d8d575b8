#pragma once
// The face of libyolov7-training towards the program, which loads it only when a verb needs
// LibTorch. Plain types.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "anchors/anchor_search.hpp"
#include "equivalence/proof.hpp"
#include "network/graph/graph.hpp"
#include "network/graph/weights.hpp"
#include "run/options.hpp"
#include "run/world.hpp"
#include "runtime/detector.hpp"

namespace yolov7::training {

struct TrainRequest {
  run::TrainOptions options;
  std::vector<std::string> given;  ///< names of the options that stood on the command line
  std::string run_folder;  ///< made by the caller where world.writes(); empty when a run is resumed
  run::World world;        ///< this process among those that train together
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
  anchors::AnchorSearch (*search_anchors)(const dataset::Index& index, int image_size,
                                          const anchors::AnchorSearchOptions& options);
  std::vector<equivalence::Outputs> (*exact_outputs)(
      const network::Network& network, const network::Weights& weights,
      std::span<const equivalence::ProofPicture> pictures);
};

}  // namespace yolov7::training

extern "C" const yolov7::training::Api* yolov7_training_api();
