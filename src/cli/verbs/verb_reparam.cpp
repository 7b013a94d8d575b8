// yolov7 reparam: the deploy model of a trained one, folded, and proved equal before it is written.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

#include "api/model.hpp"
#include "api/training_library.hpp"
#include "cli/verb.hpp"
#include "cli/verbs/checkpoint_data.hpp"
#include "cli/verbs/proof_pictures.hpp"
#include "core/earlier_result.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/output_guard.hpp"
#include "core/text.hpp"
#include "equivalence/certificate.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "network/graph/finite_weights.hpp"
#include "network/transform/reparameterize.hpp"
#include "runtime/detect.hpp"
#include "runtime/frames/sources.hpp"

namespace yolov7::cli {
namespace {

struct ReparamOptions {
  std::string weights, out, images;
  int img_size = 320;
  bool half = false;
};

Settings settings(ReparamOptions& o) {
  return Settings{
      "reparam",
      {
          setting("weights", o.weights,
                  "trained checkpoint: official, of this program, safetensors")
              .positional(),
          setting("out", o.out, "file to write").alias("output"),
          setting("images", o.images,
                  "images of the proof: an image, a folder or a pattern; empty = four generated "
                  "ones"),
          setting(
              "img-size", o.img_size,
              "long side of the proof's images in pixels, rounded up to a multiple of the stride")
              .range(32, 4096),
          setting("half", o.half, "write float16 weights; the rounding is part of the report"),
      }};
}

std::string precision_of(const network::Weights& weights) {
  for (const auto& entry : weights.entries())
    if (entry.second.type == network::DataType::float16) return "float16";
  return "float32";
}

void print_comparison(const char* what, const equivalence::Comparison& c, const Output& output) {
  for (std::size_t level = 0; level < c.raw.size(); ++level)
    output.line(
        fmt::format("{:<44} raw level {}: largest {:.3e}, mean {:.3e} of values up to {:.3g}", what,
                    level, c.raw[level].largest, c.raw[level].mean, c.raw[level].scale));
  output.line(fmt::format("{:<44} decoded:     largest {:.3e}, mean {:.3e} of values up to {:.3g}",
                          what, c.decoded.largest, c.decoded.mean, c.decoded.scale));
}

void print_proof(const equivalence::Proof& proof,
                 std::span<const equivalence::ProofPicture> pictures, const Output& output) {
  print_comparison("float64, before against after:", proof.exact, output);
  print_comparison("float64, after with the weights as written:", proof.stored, output);
  if (proof.backend.empty()) return;
  output.line("default back end: " + proof.backend + "; differences from the exact outputs");
  print_comparison("before:", proof.parent_backend, output);
  print_comparison("after:", proof.child_backend, output);
  output.line(fmt::format("{:<32} {:>8} {:>8} {:>8} {:>11} {:>18}", "image", "before", "after",
                          "matched", "least IoU", "largest |d score|"));
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const equivalence::BoxMatch& one = proof.boxes[i];
    output.line(fmt::format("{:<32} {:>8} {:>8} {:>8} {:>11.6f} {:>18.2e}", pictures[i].name,
                            one.reference, one.candidate, one.matched, one.least_iou,
                            one.largest_score));
  }
  output.line(fmt::format("time of one image ({} x {}): {:.2f} ms before, {:.2f} ms after",
                          pictures[0].width, pictures[0].height, proof.parent_ms, proof.child_ms));
}

void write(const ReparamOptions& options, const network::Checkpoint& parent,
           const network::Reparameterized& child, network::Weights stored,
           const std::string& certificate) {
  network::Checkpoint file;
  file.ema = std::move(stored);
  file.config = child.config;
  file.config_source = child.config_source;
  file.class_count = parent.class_count;
  file.names = parent.names;
  file.image_size = parent.image_size;
  file.dataset_identity = parent.dataset_identity;
  file.certificate = certificate;
  const std::string paper = equivalence::certificate_path(options.out);
  // Never a certificate beside a model that it is not about, wherever this is killed.
  std::error_code ignored;
  std::filesystem::remove(paper, ignored);
  network::write_checkpoint(options.out, file);
  file::write_atomically(paper, certificate + "\n");
}

void check_call(const ReparamOptions& o) {
  if (o.weights.empty() || o.out.empty())
    throw usage_error(fmt::format("reparam: expected --weights and --out, found no {}",
                                  o.weights.empty() ? "--weights" : "--out"));
  OutputGuard guard;
  guard.protect(o.weights, "--weights");
  if (!o.images.empty())
    for (const runtime::SourcePicture& one : runtime::list_pictures(o.images, "images"))
      guard.protect(one.path, "--images " + one.path.string());
  guard.claim(o.out);
  guard.claim(equivalence::certificate_path(o.out));
  require_earlier(o.out, "an earlier checkpoint", [&] { network::read_checkpoint(o.out); });
}

}  // namespace

nlohmann::json run_reparam(const std::vector<std::string>& arguments, Output& output) {
  ReparamOptions options;
  if (!parse_arguments(settings(options), arguments, output)) return {};
  check_call(options);
  const network::Checkpoint parent = network::read_checkpoint(options.weights);
  for (const std::string& note : parent.facts.notes)
    log::warning(fmt::format("{}: {}", options.weights, note));
  if (!parent.quantization.empty())
    throw Error(
        fmt::format("{}: it is folded already, and the ranges that it was trained with belong to "
                    "its own layers: expected a float32 checkpoint; quantize takes this one",
                    options.weights));
  network::check_finite(parent.inference_weights(), options.weights);
  const network::Network network = parent.build_network();
  const network::Reparameterized child = network::reparameterize(parent);
  network::Weights stored = network::converted(
      child.weights, options.half ? network::DataType::float16 : network::DataType::float32);
  network::check_finite(stored, options.out + (options.half ? " as float16" : " as float32"));

  const int stride = static_cast<int>(network.largest_stride()),
            size = runtime::rounded_image_size(options.img_size, stride);
  const std::vector<equivalence::ProofPicture> generated =
      equivalence::generated_pictures(size, stride);
  const std::vector<equivalence::ProofPicture> pictures =
      options.images.empty() ? generated : proof_pictures(options.images, size, size, stride);
  const auto exact = api::training_library().exact_outputs;
  const equivalence::Proof proof =
      equivalence::prove({network, parent.inference_weights()}, {child.network, child.weights},
                         stored, pictures, exact);
  if (!proof.breach.empty())
    throw Error(fmt::format(
        "{}: the re-parameterized model is not the same detector: {}. Nothing is written",
        options.weights, proof.breach));

  const std::vector<equivalence::Outputs> fingerprints = exact(child.network, stored, generated);
  const nlohmann::json certificate = equivalence::make_certificate(
      {"reparameterization",
       {options.weights, network, parent.inference_weights(),
        precision_of(parent.inference_weights())},
       {options.out, child.network, stored, options.half ? "float16" : "float32"},
       pictures,
       proof,
       size,
       fingerprints});
  write(options, parent, child, std::move(stored), json_text(certificate, 1));
  record_derived(options.out, "derived model", options.weights);
  print_proof(proof, pictures, output);
  output.line(fmt::format(
      "parameters: {} before, {} after; layers: {} before, {} after; head: {} before, {} after",
      network.parameter_count(), child.network.parameter_count(), network.layers.size(),
      child.network.layers.size(), network::name(network.head), network::name(child.network.head)));
  output.line(fmt::format(
      "equal: the largest difference in float64 is {:.2e} of the largest value (at most {:g})",
      proof.exact.largest_relative(), equivalence::exact_tolerance));
  output.line(
      fmt::format("written: {} and {}", options.out, equivalence::certificate_path(options.out)));
  return {{"out", options.out},
          {"certificate_file", equivalence::certificate_path(options.out)},
          {"certificate", certificate}};
}

}  // namespace yolov7::cli
