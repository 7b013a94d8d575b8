#include "training/anchor_choice.hpp"

#include <fmt/format.h>

#include "anchors/anchor_search.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

namespace yolov7::training {
namespace {

/// The error text where the search fails and the network has only placeholders. `wanted`: `anchors`
/// of the hyper-parameters, a number per level; 0 = it is the configuration that has no anchors.
std::string cannot_replace(const std::string& why, int wanted) {
  return wanted > 0
             ? fmt::format(
                   "{}, and 'anchors: {}' in the hyper-parameters needs a search: label "
                   "more objects, or set anchors: 0 to keep the anchors of the configuration",
                   why, wanted)
             : fmt::format(
                   "{}, and the configuration has no anchors: label more objects, or write "
                   "anchors into the configuration",
                   why);
}

/// Searches anchors and gives them to the network if their best possible recall is above `recall`
/// (training 12), or if the network has only placeholders.
void replace_anchors(nn::TorchNetwork& network, const Data& data, const run::RunState& state,
                     double recall, bool placeholders, const std::stop_token& stop) {
  const network::Network& description = network.description();
  const std::size_t levels = description.lead_levels(),
                    per_level = static_cast<std::size_t>(description.anchors_per_level);
  anchors::AnchorSearchOptions options;
  options.count = static_cast<int>(levels * per_level);
  options.threshold = state.hyp.anchor_t;
  options.seed = static_cast<std::uint64_t>(state.options.seed);
  options.stop = stop;
  anchors::AnchorSearch found;
  try {
    found = anchors::search_anchors(data.train, data.train_size, options);
  } catch (const anchors::TooFewLabels& error) {
    if (placeholders) throw usage_error(cannot_replace(error.what(), state.hyp.anchors));
    log::warning(fmt::format("{}; the anchors of the configuration stay", error.what()));
    return;
  }
  if (!placeholders && found.fit.best_possible_recall <= recall) {
    log::warning(fmt::format(
        "anchors: the search found none that are better (best possible recall {:.4f}); the anchors "
        "of the configuration stay",
        found.fit.best_possible_recall));
    return;
  }
  // The search sorts anchors by area. Each level takes the next `per_level`, the finest level
  // first.
  std::vector<std::vector<network::AnchorSize>> rows(levels);
  for (std::size_t i = 0; i < found.anchors.size(); ++i)
    rows[i / per_level].push_back(found.anchors[i]);
  network.set_anchors(rows);
  std::vector<std::string> shown;
  for (const network::AnchorSize& a : found.anchors)
    shown.push_back(fmt::format("{:.0f} x {:.0f}", a.w, a.h));
  log::info(fmt::format("anchors: searched, best possible recall {:.4f}, fitness {:.4f}: {}",
                        found.fit.best_possible_recall, found.fitness, text::join(shown, ", ")));
}

}  // namespace

void choose_anchors(nn::TorchNetwork& network, const Data& data, const run::RunState& state,
                    const std::stop_token& stop) {
  const bool placeholders =
      state.hyp.anchors > 0 || network.description().levels[0].anchors[0].w == 0;
  if (state.options.noautoanchor && !placeholders) return;
  const anchors::AnchorFit fit =
      anchors::anchor_fit(data.train, network.description(), data.train_size, state.hyp.anchor_t);
  const std::string line =
      fmt::format("anchors: {:.2f} above the threshold per label, best possible recall {:.4f}",
                  fit.anchors_above_threshold, fit.best_possible_recall);
  if (fit.best_possible_recall >= 0.98 && !placeholders) {
    log::info(line);
    return;
  }
  log::info(placeholders
                ? std::string("anchors: the network has only placeholders, so anchors are searched")
                : line + ": below 0.98, so better ones are searched");
  replace_anchors(network, data, state, fit.best_possible_recall, placeholders, stop);
}

}  // namespace yolov7::training
