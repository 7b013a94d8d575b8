#include "dataset/loading/epoch_plan.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/random.hpp"
#include "dataset/augment/operation.hpp"
#include "dataset/loading/drawn_share.hpp"

namespace yolov7::dataset {
namespace {

double aspect_ratio(const Entry& entry) { return static_cast<double>(entry.height) / entry.width; }

std::vector<std::size_t> by_aspect_ratio(const Index& index) {
  std::vector<std::size_t> order(index.entries.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return aspect_ratio(index.entries[a]) < aspect_ratio(index.entries[b]);
  });
  return order;
}

std::vector<PlannedBatch> cut(std::span<const std::size_t> order, std::size_t batch,
                              cv::Size shape) {
  std::vector<PlannedBatch> batches;
  for (std::size_t i = 0; i < order.size(); i += batch) {
    PlannedBatch one;
    const auto piece = order.subspan(i, std::min(batch, order.size() - i));
    one.entries.assign(piece.begin(), piece.end());
    one.shape = shape;
    batches.push_back(std::move(one));
  }
  return batches;
}

template <class T>
void permute(std::vector<T>& values, Random random) {
  std::vector<T> result;
  for (const std::size_t i : random.permutation(values.size()))
    result.push_back(std::move(values[i]));
  values = std::move(result);
}

/// `count` indices in proportion to `weights`, by inversion of their running sums.
std::vector<std::size_t> drawn(std::span<const double> weights, std::size_t count, Random random) {
  std::vector<double> sums(weights.size());
  std::partial_sum(weights.begin(), weights.end(), sums.begin());
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < count; ++i) {
    const double at = random.uniform() * sums.back();
    const auto found = std::upper_bound(sums.begin(), sums.end(), at);
    order.push_back(static_cast<std::size_t>(std::min(found, sums.end() - 1) - sums.begin()));
  }
  return order;
}

/// To a multiple of `parts`: by the first pictures again (training 11.2), where they are sorted by
/// the last one, which fits its batch's shape.
void fill_up(std::vector<std::size_t>& order, std::size_t parts, bool sorted) {
  const std::size_t count = order.size();
  for (std::size_t i = 0; order.size() % parts != 0; ++i)
    order.push_back(sorted ? order[count - 1] : order[i % count]);
}

void keep_part(EpochPlan& plan, const LoaderOptions& o) {
  const auto part = static_cast<std::size_t>(o.part), parts = static_cast<std::size_t>(o.parts);
  if (o.sharing == LoaderOptions::Sharing::batches) {
    std::erase_if(plan.batches, [&](const PlannedBatch& b) { return b.number % parts != part; });
    return;
  }
  for (PlannedBatch& b : plan.batches) {
    const std::size_t size = b.entries.size() / parts;
    b.entries = {b.entries.begin() + static_cast<std::ptrdiff_t>(part * size),
                 b.entries.begin() + static_cast<std::ptrdiff_t>((part + 1) * size)};
    b.first_position += part * size;
  }
}

}  // namespace

std::vector<cv::Size> rectangular_shapes(std::span<const double> ratios, std::size_t batch, int s,
                                         int stride, double pad) {
  std::vector<cv::Size> shapes;
  for (std::size_t i = 0; i < ratios.size(); i += batch) {
    const double smallest = ratios[i], largest = ratios[std::min(i + batch, ratios.size()) - 1];
    double w = 1, h = 1;
    if (largest < 1)
      h = largest;
    else if (smallest > 1)
      w = 1 / smallest;
    const auto side = [&](double factor) {
      return static_cast<int>(std::ceil(factor * s / stride + pad)) * stride;
    };
    shapes.emplace_back(side(w), side(h));
  }
  return shapes;
}

EpochPlan plan_epoch(const Index& index, const LoaderOptions& o, int epoch,
                     std::span<const double> weights) {
  EpochPlan plan;
  const std::size_t n = index.entries.size();
  const Random random(o.seed, static_cast<std::uint32_t>(epoch), 0,
                      static_cast<std::uint32_t>(Operation::shuffle));
  if (!weights.empty()) {
    plan.order = drawn(weights, n,
                       Random(o.seed, static_cast<std::uint32_t>(epoch), 0,
                              static_cast<std::uint32_t>(Operation::weighted_order)));
  } else if (o.drawn_share >= 0) {
    const auto parts =
        static_cast<std::size_t>(o.sharing == LoaderOptions::Sharing::samples ? o.parts : 1);
    plan.order = order_with_drawn(*o.drawn, {o.drawn_share, o.seed, o.shuffle}, epoch, n,
                                  (n + parts - 1) / parts * parts);
  } else if (o.rectangular) {
    plan.order = by_aspect_ratio(index);
  } else {
    plan.order.resize(n);
    std::iota(plan.order.begin(), plan.order.end(), std::size_t{0});
    if (o.shuffle) permute(plan.order, random);
  }
  if (o.parts > 1 && o.sharing == LoaderOptions::Sharing::samples)
    fill_up(plan.order, static_cast<std::size_t>(o.parts), o.rectangular);
  const std::size_t batch =
      std::clamp<std::size_t>(static_cast<std::size_t>(std::max(1, o.batch_size)), 1,
                              std::max<std::size_t>(1, plan.order.size()));
  plan.batches = cut(plan.order, batch, cv::Size(o.image_size, o.image_size));
  if (o.rectangular) {
    std::vector<double> ratios;
    for (const std::size_t i : plan.order) ratios.push_back(aspect_ratio(index.entries[i]));
    const auto shapes =
        rectangular_shapes(ratios, batch, o.image_size, o.stride, o.rectangular_pad);
    for (std::size_t i = 0; i < shapes.size(); ++i) plan.batches[i].shape = shapes[i];
    if (o.shuffle) permute(plan.batches, random);
  }
  const std::size_t slices =
      o.sharing == LoaderOptions::Sharing::samples ? static_cast<std::size_t>(o.parts) : 1;
  if (o.quad)
    std::erase_if(plan.batches,
                  [&](const PlannedBatch& b) { return b.entries.size() / slices < 4; });
  std::size_t position = 0;
  for (PlannedBatch& b : plan.batches) {
    b.number = static_cast<std::size_t>(&b - plan.batches.data());
    b.first_position = position;
    position += b.entries.size();
  }
  if (o.parts > 1) keep_part(plan, o);
  return plan;
}

}  // namespace yolov7::dataset
