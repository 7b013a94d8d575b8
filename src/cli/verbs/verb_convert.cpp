// yolov7 convert: weights from any readable file into another form. Names and values stay what they
// are, unless --initial-norms is given or the file is a pre-trained backbone of another package.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "cli/verbs/checkpoint_data.hpp"
#include "core/earlier_result.hpp"
#include "core/log.hpp"
#include "core/output_guard.hpp"
#include "core/text.hpp"
#include "network/checkpoint/backbone_weights.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "network/checkpoint/safetensors.hpp"
#include "network/checkpoint/state_file.hpp"
#include "network/graph/finite_weights.hpp"
#include "network/transform/initial_norms.hpp"

namespace yolov7::cli {
namespace {

struct ConvertOptions {
  std::string weights, to, out;
  bool initial_norms = false;
};

struct Form {
  const char* name;
  void (*write)(const std::filesystem::path&, const network::Checkpoint&);
};
const Form forms[] = {
    {"pt", network::write_state_file},
    {"safetensors", network::write_safetensors_checkpoint},
    {"yolov7", [](const std::filesystem::path& path, const network::Checkpoint& checkpoint) {
       network::write_checkpoint(path, checkpoint);
     }}};

Settings settings(ConvertOptions& o) {
  return Settings{
      "convert",
      {
          setting("weights", o.weights,
                  "file to read: an official checkpoint, one of this program, a state file, "
                  "safetensors, or the weights of MobileNetV2 or EfficientNet-Lite0 as their "
                  "packages have them")
              .positional(),
          setting("to", o.to,
                  "form to write: pt (state file: name to tensor, for torch.load with "
                  "weights_only=True), safetensors, or yolov7 (checkpoint of this program, "
                  "everything kept)"),
          setting("out", o.out, "file to write"),
          setting(
              "initial-norms", o.initial_norms,
              "make convolutions before a batch-norm as short as initial ones: the same network, "
              "proved by folding both, that learns from new data as fast as a fresh one"),
      }};
}

const Form& form(const std::string& name) {
  for (const Form& one : forms)
    if (name == one.name) return one;
  throw usage_error(
      fmt::format("convert: --to: expected pt, safetensors or yolov7, found '{}'", name));
}

std::string listed(const std::vector<std::string>& names) {
  return fmt::format("{} tensors ({})", names.size(), text::join(names, ", "));
}

/// A start for training: the backbone of a built-in configuration.
nlohmann::json convert_backbone(const network::Backbone& backbone, const ConvertOptions& options,
                                Output& output) {
  if (options.to != "yolov7")
    throw usage_error(
        fmt::format("convert: --to: a backbone becomes a checkpoint of this program: expected "
                    "yolov7, found '{}'",
                    options.to));
  if (options.initial_norms)
    throw usage_error("convert: --initial-norms needs a whole network, found a backbone");
  network::write_checkpoint(options.out, backbone.checkpoint);
  record_derived(options.out, "derived model", options.weights);
  for (const std::string& term : backbone.terms) output.line("terms: " + term);
  output.line(
      fmt::format("{}: {} tensors of the file taken, {} of them kernels that stand in a "
                  "larger one; not in the file and made: {}",
                  backbone.name, backbone.taken, backbone.widened, listed(backbone.made)));
  output.line("not used: " + listed(backbone.unused));
  for (const std::string& note : backbone.notes) output.line("note: " + note);
  output.line(fmt::format(
      "{}: the backbone of {}; {} tensors of neck and head ({} to {}) are not in it: train "
      "--weights {} makes them",
      options.out, backbone.checkpoint.config_source, backbone.missing.size(),
      backbone.missing.front(), backbone.missing.back(), options.out));
  return {{"out", options.out},          {"to", options.to},
          {"backbone", backbone.name},   {"config", backbone.checkpoint.config_source},
          {"terms", backbone.terms},     {"tensors", backbone.checkpoint.model.size()},
          {"taken", backbone.taken},     {"widened", backbone.widened},
          {"made", backbone.made},       {"unused", backbone.unused},
          {"missing", backbone.missing}, {"bytes", std::filesystem::file_size(options.out)},
          {"notes", backbone.notes}};
}

/// A start for other data: the weights alone, scaled.
nlohmann::json shorten(network::Checkpoint& checkpoint, const network::Network& network,
                       Output& output) {
  const network::InitialNorms scaled =
      network::with_initial_norms(network, checkpoint.inference_weights());
  checkpoint.ema = scaled.weights;
  checkpoint.model = checkpoint.optimizer = {};
  checkpoint.state.clear();
  output.line(
      fmt::format("{} convolutions are as short as initial ones now, the longest by {:.3f}; "
                  "folded, old and new differ by {:.2g} of a tensor's largest value",
                  scaled.convolutions, scaled.smallest, scaled.difference));
  return {{"convolutions", scaled.convolutions},
          {"smallest_factor", scaled.smallest},
          {"difference", scaled.difference}};
}

}  // namespace

nlohmann::json run_convert(const std::vector<std::string>& arguments, Output& output) {
  ConvertOptions options;
  if (!parse_arguments(settings(options), arguments, output)) return {};
  if (options.weights.empty() || options.out.empty())
    throw usage_error(fmt::format("convert: expected --weights and --out, found no {}",
                                  options.weights.empty() ? "--weights" : "--out"));
  const Form& to = form(options.to);
  OutputGuard guard;
  guard.protect(options.weights, "--weights");
  guard.claim(options.out);
  require_earlier(options.out, "an earlier file of weights",
                  [&] { network::read_checkpoint(options.out); });
  if (const auto backbone = network::read_backbone(options.weights))
    return convert_backbone(*backbone, options, output);
  network::Checkpoint checkpoint = network::read_checkpoint(options.weights);
  const network::Network network = checkpoint.build_network();
  network::check(network, checkpoint.inference_weights());
  if (const std::string fault = network::finite_fault(checkpoint.inference_weights());
      !fault.empty())
    log::warning(options.weights + ": " + fault);
  const bool one_set = options.initial_norms || options.to != "yolov7";
  const std::size_t other = one_set && checkpoint.ema.size() > 0 ? checkpoint.model.size() : 0;
  if (other > 0)
    output.line(
        fmt::format("note: of the two sets of weights the averaged one is taken; {} tensors of the "
                    "other are not part of the new file",
                    other));
  const bool no_state = one_set && !checkpoint.state.empty();
  if (no_state)
    output.line(
        "note: the state of the training is not part of the new file: train --resume cannot go on "
        "from it");
  nlohmann::json initial_norms;
  if (options.initial_norms) initial_norms = shorten(checkpoint, network, output);
  to.write(options.out, checkpoint);
  record_derived(options.out, "derived model", options.weights);
  const std::uint64_t bytes = std::filesystem::file_size(options.out);
  const std::size_t tensors = checkpoint.inference_weights().size();
  for (const std::string& note : checkpoint.facts.notes) output.line("note: " + note);
  const bool left = checkpoint.facts.optimizer_tensors > checkpoint.optimizer.size() ||
                    (options.to != "yolov7" && checkpoint.facts.optimizer_tensors > 0);
  if (left)
    output.line(fmt::format("note: {} tensors of the optimizer are not part of the new file",
                            checkpoint.facts.optimizer_tensors));
  output.line(fmt::format("{}: {} tensors, {} classes, {:.1f} MB", options.out, tensors,
                          checkpoint.class_count, static_cast<double>(bytes) / 1e6));
  return {{"out", options.out},
          {"to", options.to},
          {"tensors", tensors},
          {"classes", checkpoint.names},
          {"bytes", bytes},
          {"weights_left_out", other},
          {"state_left_out", no_state},
          {"notes", checkpoint.facts.notes},
          {"initial_norms", initial_norms}};
}

}  // namespace yolov7::cli
