// Typical images first; see features.hpp.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "active/features.hpp"
#include "core/random.hpp"
#include "core/threads.hpp"

namespace yolov7::active {
namespace {

constexpr std::size_t most_groups = 500, neighbours = 20, rounds = 10, most_compared = 2000;
constexpr std::uint32_t group_stream = 1;

using Centre = std::array<double, feature_length>;

double dot(const Feature& a, const Centre& b) {
  double sum = 0;
  for (std::size_t i = 0; i < feature_length; ++i) sum += a[i] * b[i];
  return sum;
}

std::size_t nearest(const Feature& one, const std::vector<Centre>& centres) {
  std::size_t best = 0;
  double most = -1e300;
  for (std::size_t k = 0; k < centres.size(); ++k)
    if (const double value = dot(one, centres[k]); value > most) most = value, best = k;
  return best;
}

void normalise(Centre& centre) {
  double sum = 0;
  for (const double value : centre) sum += value * value;
  if (sum == 0) return;
  for (double& value : centre) value /= std::sqrt(sum);
}

/// Spherical k-means from `count` different features. The group of each feature.
std::vector<std::size_t> grouped(std::span<const Feature> vectors, std::vector<Centre>& centres,
                                 std::uint64_t seed, int threads) {
  const auto order = Random(seed, 0, 0, group_stream).permutation(vectors.size());
  for (std::size_t k = 0; k < centres.size(); ++k) {
    std::copy(vectors[order[k]].begin(), vectors[order[k]].end(), centres[k].begin());
    normalise(centres[k]);
  }
  std::vector<std::size_t> group(vectors.size(), 0);
  constexpr std::size_t block = 1024;
  for (std::size_t round = 0; round < rounds; ++round) {
    std::vector<std::size_t> next(vectors.size());
    parallel_for((vectors.size() + block - 1) / block, threads, [&](std::size_t b) {
      for (std::size_t i = b * block; i < std::min(vectors.size(), (b + 1) * block); ++i)
        next[i] = nearest(vectors[i], centres);
    });
    const bool settled = round > 0 && next == group;
    group = std::move(next);
    if (settled) break;
    std::vector<Centre> sums(centres.size(), Centre{});
    std::vector<std::size_t> sizes(centres.size(), 0);
    for (std::size_t i = 0; i < vectors.size(); ++i) {
      ++sizes[group[i]];
      for (std::size_t d = 0; d < feature_length; ++d) sums[group[i]][d] += vectors[i][d];
    }
    for (std::size_t k = 0; k < centres.size(); ++k)
      if (sizes[k] > 0) centres[k] = sums[k], normalise(centres[k]);
  }
  return group;
}

/// Mean cosine to the nearest neighbours of the group; a group of more than `most_compared` is
/// compared with every so-manieth of its members.
double typicality(std::size_t of, const std::vector<std::size_t>& members,
                  std::span<const Feature> vectors) {
  std::vector<double> all;
  const std::size_t step = (members.size() + most_compared - 1) / most_compared;
  for (std::size_t m = 0; m < members.size(); m += step)
    if (members[m] != of) all.push_back(cosine(vectors[of], vectors[members[m]]));
  if (all.empty()) return 1;
  const std::size_t used = std::min(neighbours, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(used), all.end(),
                    std::greater<>());
  return std::accumulate(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(used), 0.0) /
         static_cast<double>(used);
}

}  // namespace

std::vector<std::size_t> typical_order(std::span<const Feature> vectors,
                                       std::span<const Feature> covered, std::size_t wanted,
                                       std::uint64_t seed, int threads) {
  if (vectors.empty()) return {};
  const int used_threads = threads_or_all(threads);
  const std::size_t count =
      std::clamp<std::size_t>(wanted, 1, std::min(most_groups, vectors.size()));
  std::vector<Centre> centres(count);
  const auto group = grouped(vectors, centres, seed, used_threads);
  std::vector<std::vector<std::size_t>> members(count);
  for (std::size_t i = 0; i < vectors.size(); ++i) members[group[i]].push_back(i);
  std::vector<std::size_t> known(count, 0);
  for (const Feature& one : covered) ++known[nearest(one, centres)];

  std::vector<double> value(vectors.size());
  parallel_for(vectors.size(), used_threads,
               [&](std::size_t i) { value[i] = typicality(i, members[group[i]], vectors); });
  for (auto& one : members)
    std::stable_sort(one.begin(), one.end(),
                     [&](std::size_t a, std::size_t b) { return value[a] > value[b]; });
  std::vector<std::size_t> groups(count);
  std::iota(groups.begin(), groups.end(), std::size_t{0});
  std::stable_sort(groups.begin(), groups.end(), [&](std::size_t a, std::size_t b) {
    return known[a] != known[b] ? known[a] < known[b] : members[a].size() > members[b].size();
  });
  std::vector<std::size_t> order;
  for (std::size_t turn = 0; order.size() < vectors.size(); ++turn)
    for (const std::size_t k : groups)
      if (turn < members[k].size()) order.push_back(members[k][turn]);
  return order;
}

}  // namespace yolov7::active
