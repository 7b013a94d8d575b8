#pragma once
// A smaller network that is faster: which channels go, and what it brought, measured.
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
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
