// yolov7 scale: compound scaling of a configuration.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "core/earlier_result.hpp"
#include "core/file.hpp"
#include "core/output_guard.hpp"
#include "network/config/builder.hpp"
#include "network/config/scaling.hpp"
#include "network/graph/cost.hpp"

namespace yolov7::cli {
namespace {

constexpr std::uint64_t most_config_bytes = 16u << 20;

struct ScaleOptions {
  std::string cfg, out;
  double depth = 1, width = 1;
};

Settings settings(ScaleOptions& o) {
  return Settings{
      "scale",
      {
          setting("cfg", o.cfg, "network configuration: a file, or the name of a built-in one")
              .positional(),
          setting("depth", o.depth,
                  "factor on the 3x3 convolutions inside each concatenation-based group")
              .range(0.1, 16),
          setting("width", o.width, "factor on the channels of the layers between the groups")
              .range(0.1, 16),
          setting("out", o.out, "configuration to write"),
      }};
}

}  // namespace

nlohmann::json run_scale(const std::vector<std::string>& arguments, Output& output) {
  ScaleOptions options;
  if (!parse_arguments(settings(options), arguments, output)) return {};
  if (options.cfg.empty() || options.out.empty())
    throw usage_error(fmt::format("scale: expected --cfg and --out, found no {}",
                                  options.cfg.empty() ? "--cfg" : "--out"));
  OutputGuard guard;
  guard.protect(options.cfg, "--cfg");
  guard.claim(options.out);
  require_earlier(options.out, "an earlier configuration",
                  [&] { network::build(file::read(options.out, most_config_bytes), options.out); });
  const std::string config = network::read_config(options.cfg);
  const network::ScaledConfig scaled =
      network::scale_config(config, options.cfg, options.depth, options.width);
  const network::Network before = network::build(config, options.cfg),
                         after = network::build(scaled.text, options.out);
  file::write_atomically(options.out, scaled.text);
  nlohmann::json groups = nlohmann::json::array();
  for (const network::ScaledGroup& group : scaled.groups) {
    output.line(fmt::format("group that ends in layer {}: {} -> {} convolutions, {} taps",
                            group.layer, group.before, group.after,
                            group.dense ? "dense" : "sparse"));
    groups.push_back({{"layer", group.layer},
                      {"before", group.before},
                      {"after", group.after},
                      {"dense", group.dense}});
  }
  const double gflops[] = {network::cost(before, 640, 640).flops.gflops,
                           network::cost(after, 640, 640).flops.gflops};
  output.line(
      fmt::format("{}: {} layers, {} parameters, {:.1f} GFLOPs at 640 (before: {}, {}, {:.1f})",
                  options.out, after.layers.size(), after.parameter_count(), gflops[1],
                  before.layers.size(), before.parameter_count(), gflops[0]));
  return {{"out", options.out},
          {"groups", groups},
          {"layers", after.layers.size()},
          {"parameters", after.parameter_count()},
          {"gflops", gflops[1]},
          {"before",
           {{"layers", before.layers.size()},
            {"parameters", before.parameter_count()},
            {"gflops", gflops[0]}}}};
}

}  // namespace yolov7::cli
