// yolov7 anchors: finds anchors for the training labels of a data set.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "anchors/anchor_search.hpp"
#include "cli/verb.hpp"
#include "core/interrupt.hpp"
#include "core/progress.hpp"
#include "core/text.hpp"
#include "dataset/formats/open_data.hpp"
#include "dataset/index/description.hpp"
#include "dataset/index/index.hpp"
#include "dataset/index/read_index.hpp"

namespace yolov7::cli {
namespace {

struct AnchorsOptions {
  std::string data;
  int count = 9, per_level = 3, img_size = 640, generations = 1000, seed = 0;
  double threshold = 4;
};

Settings settings(AnchorsOptions& o) {
  return Settings{
      "anchors",
      {
          setting("data", o.data, "data.yaml, or annotations of any format").positional(),
          setting("count", o.count, "number of anchors, all levels together")
              .range(1, 1000)
              .alias("n"),
          setting("per-level", o.per_level, "anchors per level, for the printed configuration")
              .range(1, 100),
          setting("img-size", o.img_size, "training size in pixels (long side)").range(32, 16'384),
          setting("threshold", o.threshold,
                  "largest ratio between a side of an anchor and the same side of a label "
                  "(anchor_t)")
              .range(1, 1000)
              .alias("thr"),
          setting("generations", o.generations,
                  "generations of the genetic search that follows k-means")
              .range(0, 1'000'000),
          setting("seed", o.seed, "the same seed gives the same anchors").range(0, 2'147'483'647),
      }};
}

/// The `anchors:` entry of a network configuration, one level a line.
std::string config_lines(const std::vector<network::AnchorSize>& anchors, int per_level) {
  std::string out = "anchors:";
  for (std::size_t i = 0; i < anchors.size(); ++i)
    out += fmt::format(
        "{}{:.0f},{:.0f}",
        i % static_cast<std::size_t>(per_level) == 0 ? (i == 0 ? "\n  - [" : "]\n  - [") : ", ",
        anchors[i].w, anchors[i].h);
  return out + "]";
}

}  // namespace

nlohmann::json run_anchors(const std::vector<std::string>& arguments, Output& output) {
  AnchorsOptions options;
  if (!parse_arguments(settings(options), arguments, output)) return {};
  if (options.data.empty()) throw usage_error("anchors: expected --data, found none");
  if (options.count % options.per_level != 0)
    throw usage_error(
        fmt::format("anchors: expected --count as a multiple of --per-level {}, found {}",
                    options.per_level, options.count));
  const dataset::Description description =
      dataset::open_data(options.data, {false, false, 0, interrupt::token()});
  const dataset::Index index =
      dataset::read_index(description, "train", {false, false, false, true, 0, interrupt::token()});
  anchors::AnchorSearchOptions search;
  search.count = options.count;
  search.threshold = options.threshold;
  search.generations = options.generations;
  search.seed = static_cast<std::uint64_t>(options.seed);
  search.stop = interrupt::token();
  Progress progress("anchors", static_cast<std::size_t>(options.generations), "generations");
  search.progress = [&](int, int) { progress.advance(1, ""); };
  const anchors::AnchorSearch found = anchors::search_anchors(index, options.img_size, search);
  output.line(config_lines(found.anchors, options.per_level));
  output.line(fmt::format(
      "{} labels at {} px; {} have a side below 3 px, {} have both sides below 2 px and were not "
      "searched\nbest possible recall {:.4f}, {:.2f} anchors per label within the threshold, "
      "fitness "
      "{:.4f} (k-means: {:.4f})",
      found.labels, options.img_size, found.small, found.left_out, found.fit.best_possible_recall,
      found.fit.anchors_above_threshold, found.fitness, found.clustered_fitness));
  nlohmann::json sizes = nlohmann::json::array();
  for (const network::AnchorSize& a : found.anchors) sizes.push_back({a.w, a.h});
  return {{"anchors", sizes},
          {"best_possible_recall", found.fit.best_possible_recall},
          {"anchors_above_threshold", found.fit.anchors_above_threshold},
          {"fitness", found.fitness},
          {"clustered_fitness", found.clustered_fitness},
          {"labels", found.labels},
          {"small_labels", found.small},
          {"left_out", found.left_out}};
}

}  // namespace yolov7::cli
