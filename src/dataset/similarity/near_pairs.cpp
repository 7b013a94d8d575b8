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

constexpr std::size_t pairs_at_once = 1024, large_group = 50;

/// The candidates that still have to be compared: not those inside one group of more than 50
/// images, which are together already.
std::vector<Pair> still_to_compare(std::span<const Pair> candidates, Groups& groups) {
  std::vector<Pair> chosen;
  for (const Pair& pair : candidates) {
    const bool together = groups.of(pair.first) == groups.of(pair.second);
    if (!together || groups.size_of(pair.first) <= large_group) chosen.push_back(pair);
  }
  return chosen;
}

/// Compares all pairs. They are sorted, so successive pairs often have the same first image, which
/// is then prepared once.
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

/// Compares the candidates in order. Near pairs are appended to the result and their groups joined.
void compare_and_join(std::span<const Sketch> sketches, const std::vector<Pair>& candidates,
                      const NearOptions& options, NearPairs& result) {
  Progress progress("comparing images", candidates.size(), "pairs");
  for (std::size_t start = 0; start < candidates.size(); start += pairs_at_once) {
    const std::size_t count = std::min(pairs_at_once, candidates.size() - start);
    const std::vector<Pair> chosen =
        still_to_compare(std::span(candidates).subspan(start, count), result.groups);
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
  // The groups before the current call of search.next(), which reads them from several threads.
  std::vector<std::size_t> roots = result.groups.all();
  std::vector<std::size_t> sizes(roots.size(), 1);
  const auto known = [&](std::size_t a, std::size_t b) {
    return (roots[a] == roots[b] && sizes[a] > large_group) ||
           std::binary_search(seen.begin(), seen.end(), Pair(a, b));
  };
  while (search.next(known, candidates)) {
    compare_and_join(sketches, candidates, options, result);
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
