#include "dataset/similarity/near_pairs.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "core/progress.hpp"
#include "core/stop.hpp"
#include "core/threads.hpp"
#include "dataset/similarity/candidates.hpp"
#include "dataset/similarity/prepared.hpp"

namespace yolov7::dataset::similarity {
namespace {

using Pair = std::pair<std::size_t, std::size_t>;

constexpr std::size_t batch = 1024, large_group = 50;

/// Those of a batch that can tell something new.
std::vector<Pair> worth_a_look(std::span<const Pair> candidates, NearPairs& result) {
  std::vector<Pair> chosen;
  for (const Pair& pair : candidates) {
    const bool together = result.groups.of(pair.first) == result.groups.of(pair.second);
    if (together && result.groups.size_of(pair.first) > large_group)
      ++result.passed_over;
    else
      chosen.push_back(pair);
  }
  return chosen;
}

/// Compares the pairs, which are sorted, so that neighbours often share their first image.
std::vector<Likeness> compare_all(std::span<const Sketch> sketches, const std::vector<Pair>& pairs,
                                  const NearOptions& options) {
  constexpr std::size_t piece = 32;
  std::vector<Likeness> found(pairs.size());
  parallel_for((pairs.size() + piece - 1) / piece, threads_or_all(options.threads),
               [&](std::size_t k) {
                 check_stop(options.stop);
                 const std::size_t end = std::min(pairs.size(), (k + 1) * piece);
                 std::optional<Prepared> first;
                 for (std::size_t i = k * piece; i < end; ++i) {
                   if (!first || pairs[i].first != pairs[i - 1].first)
                     first.emplace(sketches[pairs[i].first]);
                   Prepared second(sketches[pairs[i].second]);
                   found[i] = compare(*first, second);
                 }
               });
  return found;
}

/// Compares the candidates, in order, and joins what is near.
void take(std::span<const Sketch> sketches, const std::vector<Pair>& candidates,
          const NearOptions& options, NearPairs& result) {
  Progress progress("comparing images", candidates.size(), "pairs");
  for (std::size_t start = 0; start < candidates.size(); start += batch) {
    const std::size_t count = std::min(batch, candidates.size() - start);
    const std::vector<Pair> chosen =
        worth_a_look(std::span(candidates).subspan(start, count), result);
    const std::vector<Likeness> found = compare_all(sketches, chosen, options);
    result.compared += chosen.size();
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      if (!found[i].near) continue;
      result.pairs.push_back({chosen[i].first, chosen[i].second, found[i]});
      result.groups.join(chosen[i].first, chosen[i].second);
    }
    progress.advance(count);
  }
}

}  // namespace

NearPairs find_near_pairs(std::span<const Sketch> sketches, const NearOptions& options) {
  NearPairs result;
  result.groups = Groups(sketches.size());
  for (std::size_t i = 0; i < sketches.size(); ++i)
    if (sketches[i].plain != 0) result.plain.push_back(i);
  CandidateSearch search(sketches, options.threads, options.stop);
  std::vector<Pair> seen, candidates, fresh;
  std::vector<std::size_t> roots = result.groups.all();  // as they were before the batch
  std::vector<std::size_t> sizes(roots.size(), 1);
  const auto known = [&](std::size_t a, std::size_t b) {
    return (roots[a] == roots[b] && sizes[a] > large_group) ||
           std::binary_search(seen.begin(), seen.end(), Pair(a, b));
  };
  while (search.next(known, candidates)) {
    take(sketches, candidates, options, result);
    fresh.clear();
    std::merge(seen.begin(), seen.end(), candidates.begin(), candidates.end(),
               std::back_inserter(fresh));
    seen.swap(fresh);
    roots = result.groups.all();
    for (std::size_t i = 0; i < roots.size(); ++i) sizes[i] = result.groups.size_of(i);
  }
  std::sort(result.pairs.begin(), result.pairs.end(),
            [](const NearPair& x, const NearPair& y) { return Pair(x.a, x.b) < Pair(y.a, y.b); });
  return result;
}

}  // namespace yolov7::dataset::similarity
