#pragma once
// Fine-tuning as a plan: which layers train from which epoch on, and at which share of the learning
// rate. A pure function of the options, so a resumed run follows it without a state.
#include <string>
#include <vector>

#include "network/graph/graph.hpp"
#include "run/options.hpp"

namespace yolov7::run {

class TransferPlan {
 public:
  /// `--freeze` (training 8: one number n = layers 0 … n − 1, several = exactly these) holds from
  /// the start; `--unfreeze-at` ends it part by part. Errors (usage): a part, epoch or layer that
  /// does not exist, an epoch twice or out of order, epochs in which nothing would be trained.
  TransferPlan(const TrainOptions& options, const network::Network& network);

  std::vector<int> frozen(int epoch) const;  ///< layers that do not train in this epoch
  bool changes_at(int epoch) const;          ///< other layers are frozen than in the epoch before
  const std::vector<double>& layer_rates() const {
    return rates_;
  }  ///< share of the learning rate by layer; empty: 1 everywhere
  bool empty() const { return stages_.empty() && first_.empty() && rates_.empty(); }

  /// One line per stage: "epochs 0 to 9: 22 of 78 layers train (…)".
  std::vector<std::string> lines(int epochs) const;
  /// Epochs from left to right, parts from top to bottom, the shade is the share of the rate
  /// (SVG 1.1).
  std::string svg(int epochs) const;

 private:
  struct Part {
    std::string name;
    int first = 0, last = 0;  ///< layers, both included
  };
  struct Stage {
    int epoch = 0;
    std::vector<int> layers;  ///< that train from here on
  };
  void require_training(const TrainOptions& options, const network::Network& network) const;
  Part part(const std::string& name) const;
  double rate_of(const Part& part) const;
  static int within(const Part& part, const std::vector<int>& layers);  ///< how many of the layers
  std::string trained_text(int epoch) const;

  int layers_ = 0;
  std::vector<Part> parts_;  ///< backbone, neck, head
  std::vector<int> first_;   ///< frozen at the start
  std::vector<Stage> stages_;
  std::vector<double> rates_;
};

}  // namespace yolov7::run
