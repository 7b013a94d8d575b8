#pragma once
// The detection losses of YOLOv7: plain (training 13), OTA (training 14) and OTA with auxiliary
// maps (training 15).
#include <cstdint>
#include <span>
#include <vector>

#include "dataset/target_marks.hpp"
#include "kernels/joint_statistics.hpp"
#include "kernels/torch.hpp"
#include "network/graph/graph.hpp"
#include "training/loss/assignment.hpp"

namespace yolov7::training {

struct LossGains {
  double box = 0.05, cls = 0.3, obj = 0.7;
};
/// Gains of a hyper-parameter file, scaled by lead levels, classes and training size
/// (training 13.6).
LossGains scaled_gains(const LossGains& gains, std::size_t lead_levels, int class_count,
                       int image_size);

struct LossOptions {
  enum class Kind { plain, ota, auxiliary };
  Kind kind = Kind::ota;
  LossGains gains;  ///< already scaled
  double cls_positive_weight = 1, obj_positive_weight = 1;
  double ratio_limit = 4;      ///< anchor_t: largest ratio of sides between target and anchor
  double focal_gamma = 0;      ///< 0 = off
  double label_smoothing = 0;  ///< ε
  double iou_ratio = 1;        ///< gr: objectness target = 1 − gr + gr · CIoU
  bool autobalance = false;    ///< training 13.7
};

struct LossValue {
  at::Tensor total;           ///< scalar for back-propagation: L times the pictures of the batch
  at::Tensor parts;           ///< [4], detached: box, objectness and class with their gains, and L
  at::Tensor distilled = {};  ///< detached: a teacher's term, part of L; undefined without one
};

class Loss {
 public:
  /// The lead levels' strides and anchors of the network. Errors: auxiliary loss for a head without
  /// auxiliary maps.
  Loss(const LossOptions& options, const network::Network& network);

  /// maps: raw maps [B, na, H_i, W_i, 5 + nc], lead levels first; plain and OTA read the lead
  /// levels only. float32 or float64; anything narrower is widened to float32. Deterministic on
  /// CPU. `marks` of the targets: where all weights are 1 and nothing is ignored, the value is that
  /// without them, to the bit (training 23). Errors: check_targets, check_marks.
  LossValue operator()(const std::vector<at::Tensor>& maps, std::span<const Target> targets,
                       const dataset::TargetMarks& marks = {});

  /// One of several processes, each with its share of a batch: the objectness that autobalance
  /// looks at is the mean over all. With `normalise`
  /// (--global-loss-norm) every mean over positives is one over those of all processes, so that the
  /// gradients' sum is that of the whole batch. Every call of the loss is then a collective one.
  /// `joint` outlives this object.
  void join(kernels::JointStatistics& joint, bool normalise);

  const LossOptions& options() const { return options_; }
  /// From a resumed run. Error: another number of levels.
  void set_balance(std::vector<double> balance);
  const std::vector<double>& balance() const {
    return balance_;
  }  ///< weight of each level's objectness

 private:
  struct Sums {
    at::Tensor box, cls, obj;
  };
  std::vector<LevelGrid> grids(const std::vector<at::Tensor>& maps) const;
  Positives assign(const std::vector<at::Tensor>& maps, std::span<const Target> targets,
                   const std::vector<LevelGrid>& grids, float reach) const;
  /// How much of an auxiliary or lead map's terms enters the loss.
  struct Share {
    double all = 1;        ///< of each term
    double positives = 1;  ///< besides, of those that are means over positives
  };
  /// What a batch wants of the maps.
  struct Wanted {
    std::span<const Target> targets;
    const dataset::TargetMarks& marks;
  };
  at::Tensor add_level(Sums& sums, std::size_t level, Share share, const at::Tensor& map,
                       const LevelGrid& grid, std::span<const Positive> positives,
                       const Wanted& batch) const;
  std::vector<Share> shares(const Positives& positives, double all) const;
  at::Tensor class_loss(const at::Tensor& rows, std::span<const Positive> positives,
                        std::span<const Target> targets, const at::Tensor& weights) const;
  void rebalance(const std::vector<at::Tensor>& objectness);

  LossOptions options_;
  int class_count_;
  struct LevelAnchors {
    double stride;
    std::vector<network::AnchorSize> anchors;  ///< pixels
  };
  std::vector<LevelAnchors> levels_;
  std::vector<double> balance_;
  kernels::JointStatistics* joint_ = nullptr;
  bool normalise_jointly_ = false;
};

}  // namespace yolov7::training
