#include "api/pruning.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <limits>
#include <memory>
#include <tuple>
#include <utility>

#include "api/training_library.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/setting_name.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "equivalence/proof.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "network/graph/cost.hpp"
#include "network/graph/finite_weights.hpp"
#include "runtime/detect.hpp"
#include "runtime/openvino/convolution_time.hpp"

namespace yolov7::api {
namespace {

/// Everything about the parent that the ways of pruning share.
struct Parent {
  network::Checkpoint checkpoint;
  network::Network stored, whole;
  std::vector<network::ChannelGroup> groups;
  std::vector<std::vector<double>> scores;
  std::vector<std::vector<char>> dead;

  const network::Weights& weights() const { return checkpoint.inference_weights(); }
};

Parent open_parent(const PruneOptions& o) {
  Parent parent;
  parent.checkpoint = network::read_checkpoint(o.weights);
  for (const std::string& note : parent.checkpoint.facts.notes)
    log::warning(fmt::format("{}: {}", o.weights, note));
  if (!parent.checkpoint.quantization.empty())
    log::warning(fmt::format(
        "{}: the ranges that it was trained with are those of its own channels, and are left out",
        o.weights));
  network::check_finite(parent.weights(), o.weights);
  parent.stored = parent.checkpoint.build_network();
  parent.whole = network::unfolded_network(parent.checkpoint);
  parent.groups = network::channel_groups(parent.whole);
  parent.scores = network::channel_scores(parent.stored, parent.weights(), parent.groups,
                                          network::importance(o.importance));
  parent.dead = network::dead_units(parent.stored, parent.weights(), parent.groups);
  network::put_dead_first(parent.scores, parent.dead);
  return parent;
}

network::WidthLimits limits_of(const PruneOptions& o) {
  const int usual = o.precision == "float32" ? 16 : 32;
  return {o.multiple > 0 ? o.multiple : usual, o.least_share};
}

/// Parent and child by turns.
class Race {
 public:
  Race(const PruneOptions& o, const Parent& parent, int size, std::stop_token stop)
      : seconds_(o.seconds),
        stop_(std::move(stop)),
        pictures_(equivalence::noise_pictures(1, size, size)) {
    detector_.precision = o.precision;
    detector_.threads = o.threads;
    parent_ = runtime::make_openvino_detector(parent.stored, parent.weights(), detector_);
    once(*parent_);
  }
  std::string backend() const { return parent_->description(); }
  /// Least seconds of each.
  std::pair<double, double> run(const network::Checkpoint& child) {
    const auto other = runtime::make_openvino_detector(child.build_network(),
                                                       child.inference_weights(), detector_);
    once(*other);
    std::pair<double, double> least{std::numeric_limits<double>::infinity(),
                                    std::numeric_limits<double>::infinity()};
    const auto begin = std::chrono::steady_clock::now();
    do {
      check_stop(stop_);
      least.first = std::min(least.first, once(*parent_));
      least.second = std::min(least.second, once(*other));
    } while (std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() <
             seconds_);
    return least;
  }

 private:
  /// One thread: the processor's time, so that what other programs take does not count.
  double once(runtime::Detector& detector) {
    const auto begin = std::chrono::steady_clock::now();
    const std::clock_t processor_begin = std::clock();
    detector.predict(pictures_.front().batch(), prediction_);
    const double processor = static_cast<double>(std::clock() - processor_begin) / CLOCKS_PER_SEC;
    return detector_.threads == 1
               ? processor
               : std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

  double seconds_;
  std::stop_token stop_;
  std::vector<equivalence::ProofPicture> pictures_;
  runtime::DetectorOptions detector_;
  std::unique_ptr<runtime::Detector> parent_;
  runtime::Prediction prediction_;
};

std::string group_name(const network::ChannelGroup& group) {
  const std::size_t more = group.convolutions.size() - 1;
  return more == 0 ? group.convolutions.front()
                   : fmt::format("{} and {} more", group.convolutions.front(), more);
}

network::Checkpoint child_of(const Parent& parent, const network::Widths& widths) {
  return network::without_channels(
      parent.checkpoint,
      network::kept_channels(parent.whole, parent.groups, parent.scores, widths));
}

void describe(PruneReport& report, const Parent& parent, const network::Widths& widths) {
  for (std::size_t g = 0; g < parent.groups.size(); ++g) {
    const std::size_t units = parent.groups[g].units.size();
    report.units += units;
    report.removed += units - widths[g];
    report.dead +=
        static_cast<std::size_t>(std::count(parent.dead[g].begin(), parent.dead[g].end(), char{1}));
    if (widths[g] != units)
      report.groups.push_back({group_name(parent.groups[g]), units, widths[g]});
  }
  const network::Network before = parent.stored, after = report.checkpoint.build_network();
  report.parameters_before = before.parameter_count();
  report.parameters_after = after.parameter_count();
  report.gflops_before = network::cost(before, report.height, report.width).flops.gflops;
  report.gflops_after = network::cost(after, report.height, report.width).flops.gflops;
}

/// A group keeps at least one channel: a network without any of them does not exist.
network::Widths without_dead(const Parent& parent) {
  network::Widths widths = network::all_units(parent.groups);
  for (std::size_t g = 0; g < widths.size(); ++g) {
    const auto dead =
        static_cast<std::size_t>(std::count(parent.dead[g].begin(), parent.dead[g].end(), char{1}));
    widths[g] = std::max<std::size_t>(1, widths[g] - dead);
  }
  return widths;
}

void require_removed(const PruneOptions& o, const Parent& parent, const network::Widths& widths) {
  if (widths == network::all_units(parent.groups))
    throw Error(fmt::format("{}: expected channels to remove, found none{}; nothing is written",
                            o.weights, o.dead ? " that change nothing" : ""));
}

double compared_in_float64(const Parent& parent, const network::Checkpoint& child) {
  const auto exact = training_library().exact_outputs;
  const int stride = static_cast<int>(parent.stored.largest_stride());
  const auto pictures = equivalence::generated_pictures(std::max(64, 2 * stride), stride);
  const auto before = exact(parent.stored, parent.weights(), pictures),
             after = exact(child.build_network(), child.inference_weights(), pictures);
  return equivalence::compare(before, after).largest_relative();
}

/// Widths whose network is measured to save the share `wanted` of the time.
network::Widths widths_for_time(const PruneOptions& o, const Parent& parent, PruneReport& report,
                                Race& race, const std::stop_token& stop) {
  const double wanted = wanted_saving(o.target_time);
  const network::NetworkAndWeights folded = network::fuse(parent.stored, parent.weights());
  runtime::DetectorOptions detector;
  detector.precision = o.precision;
  detector.threads = o.threads;
  const auto times = runtime::convolution_times(detector, stop);
  network::WidthsByTime choice(folded.network, parent.groups, parent.scores, limits_of(o),
                               report.height, report.width,
                               [&](const network::TimedConvolution& one) { return (*times)(one); });
  log::info(fmt::format("prune: {} convolution shapes timed, {:.2f} ms in all", times->measured(),
                        1e3 * choice.choose(0).before));
  const auto measure = [&](const network::TimedWidths& chosen) {
    report.shapes_timed = times->measured();
    report.checkpoint = child_of(parent, chosen.widths);
    std::tie(report.seconds_before, report.seconds_after) = race.run(report.checkpoint);
    log::info(fmt::format("prune: {} cuts: {:.3f} ms instead of {:.3f} ms ({:+.1f} %)", chosen.cuts,
                          1e3 * report.seconds_after, 1e3 * report.seconds_before,
                          100 * (report.seconds_after / report.seconds_before - 1)));
    return std::pair(report.seconds_before, report.seconds_after);
  };
  const network::WidthSearch found = network::search_widths(wanted, choice, measure);
  if (found.reached) return found.chosen.widths;
  throw Error(fmt::format(
      "{}: expected widths that take {:.0f} % less time, found {:.1f} % at most ({} {}, {} {}); "
      "nothing is written",
      o.weights, 100 * wanted, 100 * found.best, setting_name("round"), limits_of(o).multiple,
      setting_name("least-share"), text::general(o.least_share)));
}

void require_faster(const PruneOptions& o, const PruneReport& report) {
  if (report.seconds_after < report.seconds_before) return;
  throw Error(fmt::format(
      "{}: expected a faster network, found {:.3f} ms instead of {:.3f} ms; nothing is written",
      o.weights, 1e3 * report.seconds_after, 1e3 * report.seconds_before));
}

}  // namespace

PruneReport prune_model(const PruneOptions& o, const std::stop_token& stop) {
  const Parent parent = open_parent(o);
  PruneReport report;
  const int stride = static_cast<int>(parent.stored.largest_stride()),
            size = runtime::rounded_image_size(
                o.img_size > 0 ? o.img_size : parent.checkpoint.image_size, stride);
  report.height = report.width = size;
  network::Widths widths;
  if (o.dead) {
    widths = without_dead(parent);
    require_removed(o, parent, widths);
    report.checkpoint = child_of(parent, widths);
    report.float64_difference = compared_in_float64(parent, report.checkpoint);
    if (report.float64_difference > equivalence::exact_tolerance)
      throw Error(
          fmt::format("{}: expected equal outputs in float64, found {:.2e} of the largest "
                      "value; nothing is written",
                      o.weights, report.float64_difference));
    describe(report, parent, widths);
    return report;
  }
  Race race(o, parent, size, stop);
  report.backend = race.backend();
  if (o.target_time.empty()) {
    widths = network::widths_by_share(parent.scores, o.ratio, limits_of(o));
    require_removed(o, parent, widths);
    report.checkpoint = child_of(parent, widths);
    std::tie(report.seconds_before, report.seconds_after) = race.run(report.checkpoint);
  } else {
    widths = widths_for_time(o, parent, report, race, stop);
  }
  require_faster(o, report);
  describe(report, parent, widths);
  return report;
}

}  // namespace yolov7::api
