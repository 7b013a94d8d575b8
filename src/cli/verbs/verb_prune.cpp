// yolov7 prune: a smaller network that is measured to be faster.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "api/pruning.hpp"
#include "cli/verb.hpp"
#include "cli/verbs/checkpoint_data.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/output_guard.hpp"
#include "core/text.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "network/graph/finite_weights.hpp"
#include "network/transform/smallest_weights.hpp"

namespace yolov7::cli {
namespace {

/// Zeros among the weights: the reference's helper.
nlohmann::json set_to_zero(const api::PruneOptions& o, const Output& output) {
  network::Checkpoint checkpoint = network::read_checkpoint(o.weights);
  for (const std::string& note : checkpoint.facts.notes)
    log::warning(fmt::format("{}: {}", o.weights, note));
  network::check_finite(checkpoint.inference_weights(), o.weights);
  const network::SparseWeights sparse = network::without_smallest_weights(
      checkpoint.build_network(), checkpoint.inference_weights(), o.unstructured);
  network::Checkpoint child = checkpoint;
  child.ema = sparse.weights;
  child.model = child.optimizer = network::Weights();
  child.state.clear();
  child.certificate.clear();
  network::write_checkpoint(o.out, child);
  record_derived(o.out, "derived model", o.weights);
  output.line(
      fmt::format("{}: {} of {} parameters are zero ({:.1f} %); shapes and speed are those "
                  "of {}",
                  o.out, sparse.zeros, sparse.elements, 100 * sparse.sparsity(), o.weights));
  return {{"out", o.out},
          {"zeros", sparse.zeros},
          {"parameters", sparse.elements},
          {"sparsity", sparse.sparsity()}};
}

std::string change(double before, double after) {
  return fmt::format("{:+.1f} %", 100 * (after / before - 1));
}

void print(const api::PruneOptions& o, const api::PruneReport& r, const Output& output) {
  for (const api::PrunedGroup& group : r.groups)
    output.line(fmt::format("{:<52} {:>5} -> {:>5} channels", group.convolutions, group.before,
                            group.after));
  output.line(fmt::format(
      "channels: {} of {} that can go; parameters {} -> {} ({}); GFLOPs at {}: "
      "{:.2f} -> {:.2f} ({})",
      r.removed, r.units, r.parameters_before, r.parameters_after,
      change(static_cast<double>(r.parameters_before), static_cast<double>(r.parameters_after)),
      r.width, r.gflops_before, r.gflops_after, change(r.gflops_before, r.gflops_after)));
  if (r.seconds_before > 0)
    output.line(fmt::format(
        "time of one image ({} x {}): {:.3f} ms -> {:.3f} ms ({}); least of runs by turns, {}",
        r.width, r.height, 1e3 * r.seconds_before, 1e3 * r.seconds_after,
        change(r.seconds_before, r.seconds_after), r.backend));
  if (r.float64_difference >= 0)
    output.line(
        fmt::format("equal: the largest difference in float64 is {:.2e} of the largest "
                    "value",
                    r.float64_difference));
  else
    output.line(fmt::format(
        "accuracy was not measured: train it further with its parent as teacher, then measure:\n"
        "  yolov7 train --weights {} --teacher {} --data DATA\n  yolov7 val --weights {} --data "
        "DATA",
        text::shell_word(o.out), text::shell_word(o.weights), text::shell_word(o.out)));
  output.line("written: " + o.out);
}

nlohmann::json to_json(const api::PruneOptions& o, const api::PruneReport& r) {
  nlohmann::json groups = nlohmann::json::array();
  for (const api::PrunedGroup& group : r.groups)
    groups.push_back(
        {{"convolutions", group.convolutions}, {"before", group.before}, {"after", group.after}});
  nlohmann::json json = {
      {"out", o.out},
      {"groups", groups},
      {"channels", {{"can_go", r.units}, {"removed", r.removed}, {"dead", r.dead}}},
      {"parameters", {{"before", r.parameters_before}, {"after", r.parameters_after}}},
      {"gflops", {{"before", r.gflops_before}, {"after", r.gflops_after}}},
      {"size", {r.height, r.width}}};
  if (r.seconds_before > 0)
    json["seconds"] = {{"before", r.seconds_before},
                       {"after", r.seconds_after},
                       {"backend", r.backend},
                       {"shapes_timed", r.shapes_timed}};
  if (r.float64_difference >= 0) json["float64_difference"] = r.float64_difference;
  return json;
}

}  // namespace

nlohmann::json run_prune(const std::vector<std::string>& arguments, Output& output) {
  api::PruneOptions options;
  if (!parse_arguments(api::settings(options), arguments, output)) return {};
  api::require_possible(options);
  OutputGuard guard;
  guard.protect(options.weights, "--weights");
  guard.claim(options.out);
  if (options.unstructured > 0) return set_to_zero(options, output);
  const api::PruneReport report = api::prune_model(options, interrupt::token());
  network::write_checkpoint(options.out, report.checkpoint);
  record_derived(options.out, "derived model", options.weights);
  print(options, report, output);
  return to_json(options, report);
}

}  // namespace yolov7::cli
