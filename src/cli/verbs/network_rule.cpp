#include "cli/verbs/network_rule.hpp"

#include "anchors/anchor_search.hpp"
#include "core/log.hpp"
#include "dataset/doctor/assignment.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "network/config/builder.hpp"
#include "run/options.hpp"

namespace yolov7::cli {

using dataset::doctor::NetworkRule;

std::vector<Setting> settings(NetworkRuleOptions& o) {
  return group(
      "Network",
      {setting("cfg", o.cfg,
               "the network that is to be trained: a config file or the name of a built-in one; "
               "boxes that it cannot learn are found")
           .basic(),
       setting("weights", o.weights, "a checkpoint instead, whose anchors are used").basic(),
       setting("img-size", o.img_size, "training size in pixels (long side)")
           .range(32, 16'384)
           .alias("img")
           .basic(),
       setting("hyp", o.hyp,
               "hyper-parameters: a file or the name of a built-in one; scale and anchor_t are "
               "used")});
}

NetworkRule network_rule(const NetworkRuleOptions& o) {
  const network::Network network = o.weights.empty()
                                       ? network::build(network::read_config(o.cfg), o.cfg)
                                       : network::read_checkpoint(o.weights).build_network();
  const run::Hyperparameters hyp = run::read_hyperparameters(o.hyp);
  NetworkRule rule;
  rule.name = o.weights.empty() ? o.cfg : o.weights;
  rule.image_size = o.img_size;
  rule.anchor_threshold = hyp.anchor_t;
  rule.least_scale = 1 - hyp.augmentation.scale;
  rule.most_scale = 1.1 + hyp.augmentation.scale;
  for (const network::Level& level : network.levels) {
    if (level.auxiliary) continue;
    auto& copy = rule.levels.emplace_back();
    copy.stride = level.stride;
    for (const network::AnchorSize& anchor : level.anchors)
      copy.anchors.emplace_back(anchor.w, anchor.h);
  }
  return rule;
}

void fit_anchors(dataset::doctor::Subject& subject, std::stop_token stop) {
  constexpr std::size_t most_labels = 20'000;
  const auto assignment = dataset::doctor::assignment_of(subject);
  if (!assignment || assignment->all.never + assignment->all.seldom == 0) return;
  NetworkRule& rule = *subject.network;
  std::vector<network::AnchorSize> labels, sample;
  for (const auto& split : subject.splits) {
    const auto more = anchors::label_sizes(split.index, rule.image_size);
    labels.insert(labels.end(), more.begin(), more.end());
  }
  const std::size_t step = labels.size() / most_labels + 1;
  for (std::size_t i = 0; i < labels.size(); i += step) sample.push_back(labels[i]);
  anchors::AnchorSearchOptions search;
  search.count = 0;
  for (const NetworkRule::Level& level : rule.levels)
    search.count += static_cast<int>(level.anchors.size());
  search.threshold = rule.anchor_threshold;
  search.stop = stop;
  try {
    for (const network::AnchorSize& anchor : anchors::search_anchors(sample, search).anchors)
      rule.fitted.emplace_back(anchor.w, anchor.h);
  } catch (const anchors::TooFewLabels& error) {
    log::info(std::string("no anchors were searched: ") + error.what());
  }
}

}  // namespace yolov7::cli
