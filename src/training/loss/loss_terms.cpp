#include "training/loss/loss_terms.hpp"

#include <algorithm>
#include <tuple>

namespace yolov7::training {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct ReadMap : torch::autograd::Function<ReadMap> {
  static variable_list forward(AutogradContext* context, const at::Tensor& map,
                               const at::Tensor& image, const at::Tensor& anchor,
                               const at::Tensor& row, const at::Tensor& column) {
    context->save_for_backward({map, image, anchor, row, column});
    return {map.select(-1, 4).contiguous(), map.index({image, anchor, row, column})};
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    at::Tensor gradient = at::zeros_like(saved[0]);
    if (gradients[0].defined()) gradient.select(-1, 4).copy_(gradients[0]);
    if (gradients[1].defined())
      gradient.index_put_({saved[1], saved[2], saved[3], saved[4]}, gradients[1],
                          /*accumulate=*/true);
    return {gradient, {}, {}, {}, {}};
  }
};

}  // namespace

CellIndex cell_index(std::span<const Positive> positives, at::Device device) {
  at::Tensor all = at::empty({4, static_cast<std::int64_t>(positives.size())}, at::kLong);
  std::int64_t* values = all.mutable_data_ptr<std::int64_t>();
  const std::size_t n = positives.size();
  for (std::size_t i = 0; i < n; ++i) {
    values[i] = positives[i].image;
    values[n + i] = positives[i].anchor;
    values[2 * n + i] = positives[i].row;
    values[3 * n + i] = positives[i].column;
  }
  all = all.to(device);
  return {all[0], all[1], all[2], all[3]};
}

MapTerms read_map(const at::Tensor& map, const CellIndex& cells) {
  const variable_list terms =
      ReadMap::apply(map, cells.image, cells.anchor, cells.row, cells.column);
  return {terms[0], terms[1]};
}

std::vector<std::int64_t> last_of_each_cell(std::span<const Positive> positives) {
  std::vector<std::int64_t> order(positives.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int64_t>(i);
  const auto cell = [&](std::int64_t i) {
    const Positive& p = positives[static_cast<std::size_t>(i)];
    return std::tuple(p.image, p.anchor, p.row, p.column);
  };
  std::sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return std::pair(cell(a), -a) < std::pair(cell(b), -b);
  });
  order.erase(std::unique(order.begin(), order.end(),
                          [&](std::int64_t a, std::int64_t b) { return cell(a) == cell(b); }),
              order.end());
  std::sort(order.begin(), order.end());
  return order;
}

at::Tensor binary_cross_entropy(const at::Tensor& logits, const at::Tensor& target,
                                double positive_weight, double gamma, const at::Tensor& weights) {
  at::Tensor weight;
  if (positive_weight != 1)
    weight = at::full({1}, positive_weight, logits.options().requires_grad(false));
  if (gamma <= 0)
    return at::binary_cross_entropy_with_logits(logits, target, weights, weight,
                                                at::Reduction::Mean);
  const at::Tensor loss =
      at::binary_cross_entropy_with_logits(logits, target, weights, weight, at::Reduction::None);
  // Never 0, where a power below 1 has no gradient.
  constexpr double least = 1e-30;
  const at::Tensor missed =
      (target * (-logits).sigmoid() + (1 - target) * logits.sigmoid()).clamp_min(least);
  const at::Tensor share = target * 0.25 + (1 - target) * 0.75;
  return (loss * share * missed.pow(gamma)).mean();
}

}  // namespace yolov7::training
