// What `yolov7 prune` can be asked for.
#include <fmt/format.h>

#include <cmath>

#include "api/pruning.hpp"
#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"

namespace yolov7::api {

Settings settings(PruneOptions& o) {
  return Settings{
      "prune",
      joined(
          {group("Model", {setting("weights", o.weights,
                                   "trained checkpoint: official, of this program, safetensors")
                               .positional()
                               .basic(),
                           setting("out", o.out, "checkpoint to write").alias("output").basic()}),
           group("How much (one of them)",
                 {setting("target-time", o.target_time,
                          "-35%: channels go until the network is measured to take so much less "
                          "time on this machine")
                      .basic(),
                  setting("ratio", o.ratio, "share of the channels that may go")
                      .range(0, 0.95)
                      .basic(),
                  setting("dead", o.dead,
                          "only channels that change nothing, proved equal in float64")
                      .basic(),
                  setting("unstructured", o.unstructured,
                          "share of each convolution's weights that become zero, the smallest "
                          "ones; shapes and speed stay")
                      .range(0, 1)
                      .basic()}),
           group("Which channels",
                 {setting("importance", o.importance,
                          "norm: squared weights that make a channel and read it; scale: its "
                          "batch-norms' factors")
                      .choices({"norm", "scale"})
                      .basic(),
                  setting("round", o.multiple,
                          "what a group keeps is a multiple of it; 0 = 16 in float32, 32 in "
                          "bfloat16")
                      .range(0, 4096)
                      .basic(),
                  setting("least-share", o.least_share, "of its channels that every group keeps")
                      .range(0, 1)
                      .basic()}),
           group("Measuring",
                 {setting("precision", o.precision, "in which the network will run")
                      .choices({"float32", "bfloat16"})
                      .basic(),
                  setting("threads", o.threads, "of the network; 0 = usable cores")
                      .range(0, 4096)
                      .basic(),
                  setting("img-size", o.img_size,
                          "side of the square input in pixels; 0 = what it was trained at")
                      .range(0, 16'384)
                      .basic(),
                  setting("seconds", o.seconds, "in which parent and result run by turns")
                      .range(0, 3600)
                      .basic()})})};
}

double wanted_saving(const std::string& target_time) {
  std::string text(text::trim(target_time));
  const bool percent = !text.empty() && text.back() == '%';
  if (percent) text.pop_back();
  const auto number = text::parse_double(text::trim(text));
  const double share = number && percent ? -*number / 100 : 0;
  if (!(share > 0 && share <= 0.9))
    throw usage_error(fmt::format("prune: {}: expected -1% to -90%, found '{}'",
                                  setting_name("target-time"), text::printable(target_time)));
  return share;
}

void require_possible(const PruneOptions& o) {
  if (o.weights.empty() || o.out.empty())
    throw usage_error(fmt::format("prune: expected {} and {}, found no {}", setting_name("weights"),
                                  setting_name("out"),
                                  setting_name(o.weights.empty() ? "weights" : "out")));
  const int ways = (o.ratio > 0) + !o.target_time.empty() + o.dead + (o.unstructured > 0);
  if (ways != 1)
    throw usage_error(fmt::format("prune: expected one of {}, {}, {} and {}, found {}",
                                  setting_name("target-time"), setting_name("ratio"),
                                  setting_name("dead"), setting_name("unstructured"),
                                  ways == 0 ? "none" : "several"));
  if (!o.target_time.empty()) wanted_saving(o.target_time);
}

}  // namespace yolov7::api
