#include "dataset/loading/drawn_share.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "core/error.hpp"
#include "core/random.hpp"
#include "dataset/augment/operation.hpp"

namespace yolov7::dataset {
namespace {

/// All entries of a kind, round after round, each round in an order of its own.
class Series {
 public:
  Series(std::vector<std::size_t> entries, const DrawnShare& options, Operation operation)
      : entries_(std::move(entries)), options_(options), operation_(operation) {}

  std::size_t at(std::uint64_t place) {
    const std::uint64_t round = place / entries_.size();
    if (round_ != round) {
      round_ = round;
      order_.resize(entries_.size());
      std::iota(order_.begin(), order_.end(), std::size_t{0});
      if (options_.shuffle)
        order_ = Random(options_.seed, static_cast<std::uint32_t>(round), 0,
                        static_cast<std::uint32_t>(operation_))
                     .permutation(entries_.size());
    }
    return entries_[order_[place % entries_.size()]];
  }

 private:
  std::vector<std::size_t> entries_, order_;
  const DrawnShare& options_;
  Operation operation_;
  std::optional<std::uint64_t> round_;
};

std::vector<std::size_t> entries_of(const std::vector<bool>& drawn, bool kind) {
  std::vector<std::size_t> entries;
  for (std::size_t i = 0; i < drawn.size(); ++i)
    if (drawn[i] == kind) entries.push_back(i);
  return entries;
}

/// Drawn images before this place. What is added makes up for the rounding of the product.
std::uint64_t drawn_before(std::uint64_t place, double share) {
  return static_cast<std::uint64_t>(std::floor(static_cast<double>(place) * share + 1e-6));
}

}  // namespace

std::vector<std::size_t> order_with_drawn(const std::vector<bool>& drawn, const DrawnShare& options,
                                          int epoch, std::size_t length, std::size_t count) {
  std::vector<std::size_t> drawn_ones = entries_of(drawn, true), others = entries_of(drawn, false);
  if ((drawn_ones.empty() && options.share > 0) || (others.empty() && options.share < 1))
    throw Error(fmt::format(
        "batch loader: expected drawn and other images for a share of {}, found {} and {}",
        options.share, drawn_ones.size(), others.size()));
  Series first(std::move(others), options, Operation::other_order),
      second(std::move(drawn_ones), options, Operation::drawn_order);
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t place = static_cast<std::uint64_t>(epoch) * length + i;
    const std::uint64_t before = drawn_before(place, options.share);
    order.push_back(drawn_before(place + 1, options.share) > before ? second.at(before)
                                                                    : first.at(place - before));
  }
  return order;
}

}  // namespace yolov7::dataset
