#pragma once
// The face of libyolov7-training towards the program, which loads it only when a verb needs
// LibTorch. Plain types.
#include <memory>
#include <span>
#include <vector>

#include "equivalence/proof.hpp"
#include "exporting/torchscript.hpp"
#include "network/graph/graph.hpp"
#include "network/graph/weights.hpp"
#include "runtime/detector.hpp"
#include "training/request.hpp"
#include "training/trial.hpp"

namespace yolov7::training {

struct Api {
  TrainSummary (*train)(const TrainRequest& request);
  TrialResult (*try_epoch)(const TrialRequest& request);
  std::unique_ptr<runtime::Detector> (*make_detector)(const network::Network& network,
                                                      const network::Weights& weights,
                                                      const runtime::DetectorOptions& options);
  std::vector<equivalence::Outputs> (*exact_outputs)(
      const network::Network& network, const network::Weights& weights,
      std::span<const equivalence::ProofPicture> pictures);
  exporting::ScriptLibrary script;
};

}  // namespace yolov7::training

extern "C" const yolov7::training::Api* yolov7_training_api();
