#include "dataset/split/assignment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/file.hpp"
#include "core/random.hpp"

namespace yolov7::dataset {
namespace {

constexpr std::uint32_t split_operation = 0x73706C74;  // a stream of its own

double total(const std::vector<double>& shares) {
  return std::accumulate(shares.begin(), shares.end(), 0.0);
}

/// The units in a drawn order, larger ones first.
std::vector<std::size_t> drawn_order(const std::vector<SplitUnit>& units, std::uint64_t seed) {
  std::vector<std::size_t> order = Random(seed, 0, 0, split_operation).permutation(units.size());
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return units[a].images > units[b].images; });
  return order;
}

/// What each part still lacks: of images, and of images with each class. The last class stands for
/// images without any.
class Wanted {
 public:
  Wanted(const std::vector<SplitUnit>& units, const std::vector<double>& shares)
      : units_(units), parts_(shares.size()) {
    std::size_t images = 0;
    for (const SplitUnit& unit : units) {
      images += unit.images;
      classes_ = std::max(classes_, unit.classes.size());
    }
    left_.resize(classes_ + 1);
    for (std::size_t i = 0; i < units.size(); ++i)
      for (std::size_t c = 0; c <= classes_; ++c) left_[c] += count(i, c);
    const std::vector<std::size_t> sizes = part_sizes(images, shares);
    for (std::size_t part = 0; part < parts_; ++part) {
      images_.push_back(static_cast<double>(sizes[part]));
      const double share = shares[part] / total(shares);
      std::vector<double> one;
      for (std::size_t c = 0; c <= classes_; ++c)
        one.push_back(share * static_cast<double>(left_[c]));
      with_class_.push_back(std::move(one));
    }
  }

  std::size_t classes() const { return classes_ + 1; }
  std::size_t left(std::size_t c) const { return left_[c]; }
  /// Images of the unit that have the class.
  std::size_t count(std::size_t unit, std::size_t c) const {
    const SplitUnit& one = units_[unit];
    if (c < classes_) return c < one.classes.size() ? one.classes[c] : 0;
    return one.classes.empty() || std::all_of(one.classes.begin(), one.classes.end(),
                                              [](std::size_t n) { return n == 0; })
               ? one.images
               : 0;
  }
  void take(std::size_t unit, std::size_t part) {
    images_[part] -= static_cast<double>(units_[unit].images);
    for (std::size_t c = 0; c <= classes_; ++c) {
      with_class_[part][c] -= static_cast<double>(count(unit, c));
      left_[c] -= count(unit, c);
    }
  }
  /// The part that lacks most images.
  std::size_t neediest() const {
    std::size_t best = 0;
    for (std::size_t part = 1; part < parts_; ++part)
      if (images_[part] > images_[best]) best = part;
    return best;
  }
  /// The part that lacks most images of the class; of equal ones, most images.
  std::size_t neediest(std::size_t c) const {
    std::size_t best = 0;
    for (std::size_t part = 1; part < parts_; ++part) {
      const double more = with_class_[part][c] - with_class_[best][c];
      if (more > 1e-9 || (more > -1e-9 && images_[part] > images_[best])) best = part;
    }
    return best;
  }

 private:
  const std::vector<SplitUnit>& units_;
  std::size_t parts_, classes_ = 0;
  std::vector<double> images_;
  std::vector<std::vector<double>> with_class_;
  std::vector<std::size_t> left_;
};

void assign_stratified(const std::vector<std::size_t>& order, Wanted& wanted,
                       std::vector<int>& parts) {
  std::vector<std::vector<std::size_t>> having(wanted.classes());  // units of each class, in order
  for (const std::size_t unit : order)
    for (std::size_t c = 0; c < wanted.classes(); ++c)
      if (parts[unit] < 0 && wanted.count(unit, c) > 0) having[c].push_back(unit);
  const auto give = [&](std::size_t unit, std::size_t part) {
    wanted.take(unit, part);
    parts[unit] = static_cast<int>(part);
  };
  while (true) {
    // The rarest class first: it leaves the fewest choices.
    std::size_t rarest = wanted.classes();
    for (std::size_t c = 0; c < wanted.classes(); ++c)
      if (!having[c].empty() && wanted.left(c) > 0 &&
          (rarest == wanted.classes() || wanted.left(c) < wanted.left(rarest)))
        rarest = c;
    if (rarest == wanted.classes()) break;
    for (const std::size_t unit : having[rarest])
      if (parts[unit] < 0) give(unit, wanted.neediest(rarest));
    having[rarest].clear();
  }
}

/// How far images and boxes of the classes are from their shares, and what an exchange changes.
class Balance {
 public:
  Balance(const std::vector<SplitUnit>& units, const std::vector<double>& shares,
          const std::vector<int>& parts)
      : units_(units) {
    for (const SplitUnit& unit : units)
      columns_ = std::max({columns_, unit.classes.size(), unit.boxes.size()});
    whole_.resize(2 * columns_);
    excess_.assign(shares.size(), std::vector<double>(2 * columns_));
    for (std::size_t i = 0; i < units.size(); ++i)
      for (std::size_t k = 0; k < whole_.size(); ++k) {
        whole_[k] += count(i, k);
        excess_[static_cast<std::size_t>(parts[i])][k] += count(i, k);
      }
    for (std::size_t part = 0; part < shares.size(); ++part)
      for (std::size_t k = 0; k < whole_.size(); ++k)
        excess_[part][k] -= whole_[k] * shares[part] / total(shares);
  }
  /// Exchanges the parts of two units if that makes the sum of squares smaller.
  void exchange_if_better(std::size_t a, std::size_t b, std::vector<int>& parts) {
    auto& of_a = excess_[static_cast<std::size_t>(parts[a])];
    auto& of_b = excess_[static_cast<std::size_t>(parts[b])];
    double change = 0;
    for (std::size_t k = 0; k < whole_.size(); ++k) {
      const double d = count(b, k) - count(a, k);  // what the part of a gains and that of b loses
      if (d != 0) change += 2 * d * (of_a[k] - of_b[k] + d) / (whole_[k] * whole_[k]);
    }
    if (change >= -1e-15) return;
    for (std::size_t k = 0; k < whole_.size(); ++k) {
      const double d = count(b, k) - count(a, k);
      of_a[k] += d, of_b[k] -= d;
    }
    std::swap(parts[a], parts[b]);
  }

 private:
  /// First the images with each class, then the boxes of each.
  double count(std::size_t unit, std::size_t k) const {
    const auto& list = k < columns_ ? units_[unit].classes : units_[unit].boxes;
    const std::size_t c = k < columns_ ? k : k - columns_;
    return c < list.size() ? static_cast<double>(list[c]) : 0;
  }
  const std::vector<SplitUnit>& units_;
  std::size_t columns_ = 0;
  std::vector<double> whole_;
  std::vector<std::vector<double>> excess_;
};

void even_out(const std::vector<SplitUnit>& units, const std::vector<double>& shares,
              std::uint64_t seed, std::vector<int>& parts) {
  constexpr std::size_t tries_per_unit = 200, most_tries = 4'000'000;
  std::vector<std::size_t> free;
  for (std::size_t i = 0; i < units.size(); ++i)
    if (units[i].fixed < 0) free.push_back(i);
  if (free.size() < 2) return;
  Balance balance(units, shares, parts);
  Random random(seed, 1, 0, split_operation);
  const auto last = static_cast<std::int64_t>(free.size()) - 1;
  const std::size_t tries = std::min(tries_per_unit * free.size(), most_tries);
  for (std::size_t k = 0; k < tries; ++k) {
    const std::size_t a = free[static_cast<std::size_t>(random.integer(0, last))];
    const std::size_t b = free[static_cast<std::size_t>(random.integer(0, last))];
    if (parts[a] != parts[b] && units[a].images == units[b].images)
      balance.exchange_if_better(a, b, parts);
  }
}

}  // namespace

std::vector<std::size_t> part_sizes(std::size_t count, const std::vector<double>& shares) {
  std::vector<std::size_t> sizes;
  std::size_t before = 0;
  double sum = 0;
  for (const double share : shares) {
    sum += share;
    const auto border =
        static_cast<std::size_t>(std::llround(static_cast<double>(count) * sum / total(shares)));
    sizes.push_back(border - before);
    before = border;
  }
  return sizes;
}

std::vector<int> draw_parts(std::size_t count, const std::vector<double>& shares,
                            std::uint64_t seed) {
  const std::vector<std::size_t> order = Random(seed, 0, 0, split_operation).permutation(count);
  const std::vector<std::size_t> sizes = part_sizes(count, shares);
  std::vector<int> parts(count);
  std::size_t next = 0;
  for (std::size_t part = 0; part < sizes.size(); ++part)
    for (std::size_t k = 0; k < sizes[part]; ++k) parts[order[next++]] = static_cast<int>(part);
  return parts;
}

double stable_place(const std::string& key, std::uint64_t seed) {
  const std::string hash = file::content_hash(fmt::format("{} {}", seed, key));
  constexpr int digits = 13;  // 52 bits: exact in a double
  return static_cast<double>(std::stoull(hash.substr(0, digits), nullptr, 16)) /
         static_cast<double>(std::uint64_t{1} << (4 * digits));
}

std::vector<int> assign_parts(const std::vector<SplitUnit>& units,
                              const std::vector<double>& shares, SplitMethod method,
                              std::uint64_t seed) {
  const bool plain = std::all_of(units.begin(), units.end(), [](const SplitUnit& unit) {
    return unit.images == 1 && unit.fixed < 0;
  });
  if (method == SplitMethod::random && plain) return draw_parts(units.size(), shares, seed);
  std::vector<int> parts(units.size(), -1);
  Wanted wanted(units, shares);
  for (std::size_t i = 0; i < units.size(); ++i)
    if (units[i].fixed >= 0) {
      parts[i] = units[i].fixed;
      wanted.take(i, static_cast<std::size_t>(units[i].fixed));
    }
  if (method == SplitMethod::stable) {
    for (std::size_t i = 0; i < units.size(); ++i) {
      if (parts[i] >= 0) continue;
      const double place = stable_place(units[i].key, seed) * total(shares);
      double border = 0;
      for (std::size_t part = 0; part < shares.size() && parts[i] < 0; ++part) {
        border += shares[part];
        if (place < border || part + 1 == shares.size()) parts[i] = static_cast<int>(part);
      }
    }
    return parts;
  }
  const std::vector<std::size_t> order = drawn_order(units, seed);
  if (method == SplitMethod::stratified) assign_stratified(order, wanted, parts);
  for (const std::size_t unit : order)
    if (parts[unit] < 0) {
      const std::size_t part = wanted.neediest();
      wanted.take(unit, part);
      parts[unit] = static_cast<int>(part);
    }
  if (method == SplitMethod::stratified) even_out(units, shares, seed, parts);
  return parts;
}

}  // namespace yolov7::dataset
