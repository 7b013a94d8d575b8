#include "run/semi_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"

namespace yolov7::run {
namespace {

constexpr double burn_in_share = 0.2;  ///< of the epochs

}  // namespace

std::vector<Setting> settings(SemiOptions& o) {
  return joined(
      {group(
           "Labels of a network, drawn images",
           {
               setting(
                   "machine-weight", o.machine_weight,
                   "weight in the loss of labels that a network made (yolov7 annotate); one: that "
                   "of people's labels; confidence: their score")
                   .choices({"one", "confidence"}),
               setting(
                   "ignore-regions", o.ignore_regions,
                   "regions whose predictions do not count as background; machine: those that a "
                   "network was not sure of; all: crowd and ignored regions, too; none")
                   .choices({"machine", "all", "none"}),
               setting("synthetic-share", o.synthetic_share,
                       "share of images from dataset synth --from in every batch; -1 = as they "
                       "come")
                   .range(-1, 1),
           }),
       group("Images without labels",
             {
                 setting(
                     "unlabelled", o.unlabelled,
                     "images without labels, a folder or a list; during the training the averaged "
                     "network labels them (mean teacher)"),
                 setting("unlabelled-weight", o.unlabelled_weight,
                         "weight of the loss of images without labels; 0 = plain training")
                     .range(0, 1e6),
                 setting("unlabelled-ratio", o.unlabelled_ratio,
                         "images without labels for each labelled image of a batch")
                     .range(0.01, 100),
                 setting("pseudo-conf", o.pseudo_conf,
                         "detections of the averaged network from this score on are labels")
                     .range(0, 1),
                 setting("pseudo-ignore", o.pseudo_ignore,
                         "its detections from this score to --pseudo-conf are ignored regions")
                     .range(0, 1),
                 setting("burn-in", o.burn_in,
                         "first epochs, of labelled images alone; -1 = a fifth of all, rounded up")
                     .range(-1, 1'000'000),
             })});
}

bool learns_unlabelled(const SemiOptions& o) {
  return !o.unlabelled.empty() && o.unlabelled_weight > 0;
}

int burn_in_epochs(const SemiOptions& o, int epochs) {
  return o.burn_in >= 0 ? o.burn_in : static_cast<int>(std::ceil(burn_in_share * epochs - 1e-9));
}

void require_possible(const SemiOptions& o, const std::vector<std::string>& given,
                      const char* verb) {
  const auto is_given = [&](const char* name) { return text::contains(given, name); };
  for (const char* name :
       {"unlabelled-weight", "unlabelled-ratio", "pseudo-conf", "pseudo-ignore", "burn-in"})
    if (is_given(name) && o.unlabelled.empty())
      throw usage_error(fmt::format("{}: {}: expected {} as well, found none", verb,
                                    setting_name(name), setting_name("unlabelled")));
  if (is_given("qat") && !o.unlabelled.empty())
    throw usage_error(fmt::format("{}: {} and {}: expected one of them", verb, setting_name("qat"),
                                  setting_name("unlabelled")));
  if (o.pseudo_ignore > o.pseudo_conf)
    throw usage_error(fmt::format("{}: expected {} of at most {} ({}), found {}", verb,
                                  setting_name("pseudo-ignore"), setting_name("pseudo-conf"),
                                  text::general(o.pseudo_conf), text::general(o.pseudo_ignore)));
  if (o.synthetic_share < 0) return;
  for (const char* name : {"image-weights", "rect"})
    if (is_given(name))
      throw usage_error(
          fmt::format("{}: {} and {}: expected one of them, for each says which images "
                      "come together",
                      verb, setting_name("synthetic-share"), setting_name(name)));
}

int unlabelled_batch(const SemiOptions& o, int batch, int processes) {
  const int each = std::max(1, static_cast<int>(std::lround(o.unlabelled_ratio * batch /
                                                            static_cast<double>(processes))));
  return each * processes;
}

}  // namespace yolov7::run
