#pragma once
// A smaller network that is faster: which channels go, and what it brought, measured.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "core/settings.hpp"
#include "network/transform/prune.hpp"
#include "network/transform/width_choice.hpp"

namespace yolov7::api {

struct PruneOptions {
  std::string weights, out;
  // How much: one of these four.
  double ratio = 0;         ///< share of the channels that may go
  std::string target_time;  ///< "-35%"; "" = none
  bool dead = false;        ///< only channels that change nothing
  double unstructured = 0;  ///< share of each convolution's weights that become zero
  std::string importance = "norm";
  int multiple = 0;          ///< of channels; 0 = 16 in float32, 32 in bfloat16
  double least_share = 0.1;  ///< of a group's channels that stay
  std::string precision = "float32";
  int threads = 1, img_size = 0;  ///< 0 = the checkpoint's
  double seconds = 3;             ///< of measuring parent and child by turns
};

Settings settings(PruneOptions& options);
/// Error (usage): not exactly one of the four ways, a share outside its range, files missing or
/// the same.
void require_possible(const PruneOptions& options);
/// 0.35 of "-35%"; Error (usage) for everything but a share of more than 0 and at most 90 %.
double wanted_saving(const std::string& target_time);

/// A unit that changes nothing goes before every other one, whatever its own weights are: dead ones
/// get the score 0, which no other one has then. Nothing below 0: scores are added up and compared
/// as shares of their sum (network::WidthsByTime).
inline void put_dead_first(std::vector<std::vector<double>>& scores,
                           const std::vector<std::vector<char>>& dead) {
  constexpr double next_to_nothing = std::numeric_limits<double>::min();
  for (std::size_t g = 0; g < scores.size(); ++g)
    for (std::size_t u = 0; u < scores[g].size(); ++u)
      scores[g][u] = dead[g][u] != 0 ? 0 : std::max(scores[g][u], next_to_nothing);
}

/// Where a search for a time ended.
struct WidthSearch {
  network::TimedWidths chosen;
  double best = 0;       ///< largest share of the time that was measured to be saved
  bool reached = false;  ///< else no cut is left
};

/// Cuts until the share `wanted` of the time is measured to be saved, or no cut is left. `choose`:
/// WidthsByTime::choose(). `measure`: seconds of the parent and of the network with these widths.
inline WidthSearch search_widths(
    double wanted, const std::function<network::TimedWidths(double)>& choose,
    const std::function<std::pair<double, double>(const network::TimedWidths&)>& measure) {
  constexpr double least_step = 0.02;  // of the table's time
  WidthSearch found{choose(0), 0, false};
  double saving = wanted * found.chosen.before;
  for (;;) {
    const std::size_t cuts = found.chosen.cuts;
    found.chosen = choose(saving);
    if (found.chosen.cuts == cuts) return found;
    const auto [before, after] = measure(found.chosen);
    found.best = std::max(found.best, 1 - after / before);
    found.reached = after <= (1 - wanted) * before;
    if (found.reached) return found;
    // One cut may have saved far more than was asked for: the next one comes on top of that.
    saving = std::max(saving, found.chosen.before - found.chosen.after) +
             std::max(least_step * found.chosen.before, after - (1 - wanted) * before);
  }
}

struct PrunedGroup {
  std::string convolutions;  ///< the first one, and how many more
  std::size_t before = 0, after = 0;
};

struct PruneReport {
  network::Checkpoint checkpoint;   ///< what is to be written
  std::vector<PrunedGroup> groups;  ///< that lost channels
  std::size_t units = 0, removed = 0,
              dead = 0;  ///< channels that can go, that went, that were dead
  std::int64_t parameters_before = 0, parameters_after = 0;
  double gflops_before = 0, gflops_after = 0;
  int height = 0, width = 0;
  double seconds_before = 0,
         seconds_after = 0;  ///< least time of one image, by turns; 0 = not measured
  std::string backend;
  std::size_t shapes_timed = 0;
  double float64_difference = -1;  ///< dead channels: of the largest value; −1 = not compared
};

/// Channels go by groups; nothing is written. Errors: as read_checkpoint(); nothing to remove; a
/// target that cannot be reached, with the best that was; a network that is not faster than before;
/// dead: outputs that differ in float64.
PruneReport prune_model(const PruneOptions& options, const std::stop_token& stop);

}  // namespace yolov7::api
