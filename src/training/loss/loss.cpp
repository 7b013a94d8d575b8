#include "training/loss/loss.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.hpp"
#include "training/loss/ciou.hpp"
#include "training/loss/ignored_regions.hpp"
#include "training/loss/loss_terms.hpp"

namespace yolov7::training {
namespace {

constexpr double auxiliary_share = 0.25;  // of the auxiliary maps in every term (training 15)

/// Rows of `values` (n × width, host) as a tensor like `like`.
at::Tensor host_rows(std::vector<float>& values, std::int64_t width, const at::Tensor& like) {
  return at::from_blob(values.data(), {static_cast<std::int64_t>(values.size()) / width, width},
                       at::kFloat)
      .to(like.device(), like.scalar_type(), /*non_blocking=*/false, /*copy=*/true);
}

/// Target boxes relative to their cells and the anchors of the positives, in cells: [n, 4] and [n,
/// 2].
struct Regression {
  at::Tensor boxes, anchors;
};

Regression regression(std::span<const Positive> positives, std::span<const Target> targets,
                      const LevelGrid& grid, const at::Tensor& like) {
  std::vector<float> boxes, anchors;
  boxes.reserve(positives.size() * 4);
  anchors.reserve(positives.size() * 2);
  const auto w = static_cast<float>(grid.width), h = static_cast<float>(grid.height);
  for (const Positive& p : positives) {
    const Target& t = targets[static_cast<std::size_t>(p.target)];
    boxes.insert(boxes.end(), {t[2] * w - static_cast<float>(p.column),
                               t[3] * h - static_cast<float>(p.row), t[4] * w, t[5] * h});
    const auto& anchor = grid.anchors[static_cast<std::size_t>(p.anchor)];
    anchors.insert(anchors.end(), anchor.begin(), anchor.end());
  }
  return {host_rows(boxes, 4, like), host_rows(anchors, 2, like)};
}

/// Boxes relative to their cells, in cells (training 13.4).
at::Tensor decoded_boxes(const at::Tensor& rows, const at::Tensor& anchors) {
  const at::Tensor centre = rows.slice(1, 0, 2).sigmoid() * 2 - 0.5;
  const at::Tensor size = (rows.slice(1, 2, 4).sigmoid() * 2).square() * anchors;
  return at::cat({centre, size}, 1);
}

/// Weights of the targets of the positives [n]; undefined where all are 1.
at::Tensor positive_weights(std::span<const Positive> positives, const dataset::TargetMarks& marks,
                            const at::Tensor& like) {
  if (marks.weights.empty() || positives.empty()) return {};
  std::vector<float> weights;
  weights.reserve(positives.size());
  for (const Positive& p : positives)
    weights.push_back(marks.weights[static_cast<std::size_t>(p.target)]);
  return host_rows(weights, 1, like).squeeze(1);
}

std::vector<double> level_balance(std::size_t levels) {
  if (levels == 3) return {4.0, 1.0, 0.4};
  std::vector<double> balance{4.0, 1.0, 0.25, 0.06, 0.02};
  if (levels > balance.size())
    throw Error(fmt::format("the loss knows at most {} levels, found {}", balance.size(), levels));
  balance.resize(levels);
  return balance;
}

}  // namespace

LossGains scaled_gains(const LossGains& gains, std::size_t lead_levels, int class_count,
                       int image_size) {
  const double levels = 3.0 / static_cast<double>(lead_levels), size = image_size / 640.0;
  return {gains.box * levels, gains.cls * class_count / 80 * levels,
          gains.obj * size * size * levels};
}

Loss::Loss(const LossOptions& options, const network::Network& network)
    : options_(options),
      class_count_(network.class_count),
      balance_(level_balance(network.lead_levels())) {
  for (std::size_t i = 0; i < network.lead_levels(); ++i)
    levels_.push_back({network.levels[i].stride, network.levels[i].anchors});
  if (options.kind == LossOptions::Kind::auxiliary && network.levels.size() != 2 * levels_.size())
    throw Error(fmt::format("{}: the auxiliary loss needs {} auxiliary maps, the {} head has {}",
                            network.source, levels_.size(), network::name(network.head),
                            network.levels.size() - levels_.size()));
}

std::vector<LevelGrid> Loss::grids(const std::vector<at::Tensor>& maps) const {
  const std::size_t needed =
      levels_.size() * (options_.kind == LossOptions::Kind::auxiliary ? 2 : 1);
  if (maps.size() < needed)
    throw Error(fmt::format("the loss needs {} raw maps, found {}", needed, maps.size()));
  std::vector<LevelGrid> grids;
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    if (maps[i].dim() != 5 || maps[i].size(4) != class_count_ + 5)
      throw Error(fmt::format("raw map {}: expected [B, na, H, W, {}], found [{}]", i,
                              class_count_ + 5, fmt::join(maps[i].sizes(), ", ")));
    LevelGrid grid{static_cast<int>(maps[i].size(2)),
                   static_cast<int>(maps[i].size(3)),
                   static_cast<float>(levels_[i].stride),
                   {}};
    for (const network::AnchorSize& anchor : levels_[i].anchors)
      grid.anchors.push_back({static_cast<float>(anchor.w / levels_[i].stride),
                              static_cast<float>(anchor.h / levels_[i].stride)});
    grids.push_back(std::move(grid));
  }
  return grids;
}

/// Both assignments of the auxiliary loss read the lead maps: coarse to fine, led by the lead head.
Positives Loss::assign(const std::vector<at::Tensor>& maps, std::span<const Target> targets,
                       const std::vector<LevelGrid>& grids, float reach) const {
  const Positives candidates =
      ratio_positives(targets, grids, static_cast<float>(options_.ratio_limit), reach);
  if (options_.kind == LossOptions::Kind::plain) return candidates;
  at::NoGradGuard no_gradient;
  std::vector<at::Tensor> rows;
  std::vector<std::span<const float>> logits;
  for (std::size_t i = 0; i < grids.size(); ++i) {
    const CellIndex cells = cell_index(candidates[i], maps[i].device());
    rows.push_back(maps[i]
                       .index({cells.image, cells.anchor, cells.row, cells.column})
                       .to(at::kCPU, at::kFloat)
                       .contiguous());
    logits.emplace_back(rows.back().const_data_ptr<float>(),
                        static_cast<std::size_t>(rows.back().numel()));
  }
  const int top = options_.kind == LossOptions::Kind::auxiliary ? 20 : 10;
  return ota_positives(candidates, logits, targets, grids, static_cast<int>(maps.front().size(0)),
                       class_count_, top);
}

at::Tensor Loss::class_loss(const at::Tensor& rows, std::span<const Positive> positives,
                            std::span<const Target> targets, const at::Tensor& weights) const {
  const double smoothing = options_.label_smoothing;
  const auto nc = static_cast<std::size_t>(class_count_);
  std::vector<float> wanted(positives.size() * nc, static_cast<float>(smoothing / 2));
  for (std::size_t i = 0; i < positives.size(); ++i) {
    const auto c =
        static_cast<std::size_t>(targets[static_cast<std::size_t>(positives[i].target)][1]);
    wanted[i * nc + c] = static_cast<float>(1 - smoothing / 2);
  }
  const at::Tensor logits = rows.slice(1, 5);
  return binary_cross_entropy(logits, host_rows(wanted, class_count_, logits),
                              options_.cls_positive_weight, options_.focal_gamma,
                              weights.defined() ? weights.unsqueeze(1) : weights);
}

/// Adds the terms of one map, returns its objectness loss without balance (training 13.4).
at::Tensor Loss::add_level(Sums& sums, std::size_t level, Share share, const at::Tensor& map,
                           const LevelGrid& grid, std::span<const Positive> positives,
                           const Wanted& batch) const {
  const CellIndex cells = cell_index(positives, map.device());
  const MapTerms terms = read_map(map, cells);
  at::Tensor wanted = at::zeros_like(terms.objectness), cell_weights;
  const at::Tensor weights = positive_weights(positives, batch.marks, map);
  if (!batch.marks.empty()) cell_weights = background_weights(map, grid, batch.marks.ignored);
  if (!positives.empty()) {
    const Regression truth = regression(positives, batch.targets, grid, map);
    const at::Tensor ciou = box_iou(decoded_boxes(terms.rows, truth.anchors), truth.boxes);
    const at::Tensor distance = weights.defined() ? (1 - ciou) * weights : 1 - ciou;
    sums.box = sums.box + distance.mean() * (share.all * share.positives);
    if (class_count_ > 1)
      sums.cls = sums.cls + class_loss(terms.rows, positives, batch.targets, weights) *
                                (share.all * share.positives);
    std::vector<std::int64_t> winners = last_of_each_cell(positives);
    const at::Tensor last = at::tensor(winners, at::kLong).to(map.device());
    const at::Tensor value =
        ciou.detach().clamp_min(0) * options_.iou_ratio + (1 - options_.iou_ratio);
    const std::vector<at::indexing::TensorIndex> places{
        cells.image.index({last}), cells.anchor.index({last}), cells.row.index({last}),
        cells.column.index({last})};
    wanted.index_put_(places, value.index({last}));
    if (cell_weights.defined())
      cell_weights.index_put_(
          places, weights.defined() ? weights.index({last}) : at::ones_like(value.index({last})));
  }
  const at::Tensor objectness = binary_cross_entropy(
      terms.objectness, wanted, options_.obj_positive_weight, options_.focal_gamma, cell_weights);
  sums.obj = sums.obj + objectness * (balance_[level] * share.all);
  return objectness.detach();
}

/// This process's mean over n positives, times n · processes / all positives, is its part of the
/// mean over all of them, as large as its own pictures' loss: the sum over the processes is divided
/// by nothing.
std::vector<Loss::Share> Loss::shares(const Positives& positives, double all) const {
  std::vector<Share> result(positives.size(), Share{all, 1});
  if (!normalise_jointly_ || positives.empty()) return result;
  at::Tensor counts = at::empty({static_cast<std::int64_t>(positives.size())}, at::kDouble);
  double* const values = counts.mutable_data_ptr<double>();
  for (std::size_t i = 0; i < positives.size(); ++i)
    values[i] = static_cast<double>(positives[i].size());
  joint_->sum(counts);
  for (std::size_t i = 0; i < positives.size(); ++i)
    if (values[i] > 0)
      result[i].positives =
          static_cast<double>(positives[i].size()) * joint_->processes() / values[i];
  return result;
}

void Loss::join(kernels::JointStatistics& joint, bool normalise) {
  joint_ = &joint;
  normalise_jointly_ = normalise;
}

void Loss::rebalance(const std::vector<at::Tensor>& objectness) {
  at::Tensor mean = at::stack(objectness).to(at::kCPU, at::kDouble);
  if (joint_ != nullptr) {
    joint_->sum(mean);
    mean /= joint_->processes();
  }
  std::size_t reference = 0;
  for (std::size_t i = 0; i < levels_.size(); ++i) {
    const double loss = mean[static_cast<std::int64_t>(i)].item<double>();
    // 0 says nothing of the level: all of it is ignored, say.
    if (loss != 0) balance_[i] = balance_[i] * 0.9999 + 0.0001 / loss;
    if (levels_[i].stride == 16) reference = i;
  }
  const double divisor = balance_[reference];
  for (double& weight : balance_) weight /= divisor;
}

void Loss::set_balance(std::vector<double> balance) {
  if (balance.size() != balance_.size())
    throw Error(
        fmt::format("expected {} weights of levels, found {}", balance_.size(), balance.size()));
  balance_ = std::move(balance);
}

LossValue Loss::operator()(const std::vector<at::Tensor>& raw_maps, std::span<const Target> targets,
                           const dataset::TargetMarks& marks) {
  std::vector<at::Tensor> maps;
  for (const at::Tensor& map : raw_maps)
    maps.push_back(map.scalar_type() == at::kDouble ? map : map.to(at::kFloat));
  const std::vector<LevelGrid> grid = grids(maps);
  const std::int64_t pictures = maps.front().size(0);
  check_targets(targets, static_cast<int>(pictures), class_count_);
  check_marks(marks, targets.size(), static_cast<int>(pictures));
  const Wanted batch{targets, marks};

  const Positives lead = assign(maps, targets, grid, 0.5f);
  Positives auxiliary;
  if (options_.kind == LossOptions::Kind::auxiliary) auxiliary = assign(maps, targets, grid, 1.0f);
  const std::vector<Share> lead_shares = shares(lead, 1),
                           auxiliary_shares = shares(auxiliary, auxiliary_share);
  const at::Tensor zero = at::zeros({}, maps.front().options().requires_grad(false));
  Sums sums{zero, zero, zero};
  std::vector<at::Tensor> objectness;
  for (std::size_t i = 0; i < grid.size(); ++i) {
    objectness.push_back(add_level(sums, i, lead_shares[i], maps[i], grid[i], lead[i], batch));
    if (!auxiliary.empty())
      add_level(sums, i, auxiliary_shares[i], maps[grid.size() + i], grid[i], auxiliary[i], batch);
  }
  if (options_.autobalance) rebalance(objectness);

  const at::Tensor box = sums.box * options_.gains.box, obj = sums.obj * options_.gains.obj,
                   cls = sums.cls * options_.gains.cls;
  const at::Tensor loss = box + obj + cls;
  return {loss * static_cast<double>(pictures), at::stack({box, obj, cls, loss}).detach()};
}

}  // namespace yolov7::training
