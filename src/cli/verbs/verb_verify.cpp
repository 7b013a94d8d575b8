// yolov7 verify: whether a derived model is still the one that its certificate describes.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "api/training_library.hpp"
#include "cli/verb.hpp"
#include "cli/verbs/verify_checks.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "equivalence/certificate.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "network/graph/finite_weights.hpp"
#include "network/transform/reparameterize.hpp"

namespace yolov7::cli {
namespace {

Settings settings(VerifyOptions& o) {
  return Settings{
      "verify",
      {
          setting(
              "weights", o.weights,
              "model with a certificate: of reparam, or a file of an export, or its certificate")
              .positional(),
          setting("parent", o.parent,
                  "the checkpoint that it was made from; empty = of an exported file, where its "
                  "certificate says; of a folded model, the model alone"),
          setting("images", o.images,
                  "of an exported file: images of the comparison, besides noise; empty = where the "
                  "certificate says"),
          setting("data", o.data,
                  "of an exported file: data set description for the mAP; empty = where the "
                  "certificate says"),
          setting("hashes-alone", o.hashes_alone,
                  "of an exported file: is it the certified one? Nothing is run"),
      }};
}

/// They would do nothing for a folded model, or where nothing is run.
void check_call(const VerifyOptions& o, bool exported) {
  if (o.hashes_alone && !(o.parent.empty() && o.images.empty() && o.data.empty()))
    throw usage_error(
        fmt::format("verify: --hashes-alone: nothing is run, expected no --{} with it",
                    !o.parent.empty()   ? "parent"
                    : !o.images.empty() ? "images"
                                        : "data"));
  for (const auto& [given, name] : {std::pair{!o.images.empty(), "images"},
                                    {!o.data.empty(), "data"},
                                    {o.hashes_alone, "hashes-alone"}})
    if (given && !exported)
      throw usage_error(
          fmt::format("verify: --{}: expected a file of an export, found {}", name, o.weights));
}

void check_outputs(Checks& checks, const network::Checkpoint& model,
                   const network::Network& network, const nlohmann::json& fingerprint,
                   const Output& output) {
  const int size = fingerprint.at("image_size").get<int>(),
            stride = static_cast<int>(network.largest_stride());
  if (size < stride || size > 4096 || size % stride != 0)
    throw Error(fmt::format(
        "certificate: expected an image size that is a multiple of {}, found {}", stride, size));
  const std::vector<equivalence::Outputs> outputs = api::training_library().exact_outputs(
      network, model.inference_weights(), equivalence::generated_pictures(size, stride));
  const double gap = equivalence::fingerprint_difference(fingerprint.at("outputs"), outputs);
  checks.add(output, "outputs on the generated images, float64",
             gap <= equivalence::exact_tolerance,
             fmt::format("largest difference {:.2e} of the largest value, at most {:g}", gap,
                         equivalence::exact_tolerance));
}

void check_parent(Checks& checks, const VerifyOptions& options, const network::Checkpoint& model,
                  const nlohmann::json& certificate, const Output& output) {
  const network::Checkpoint parent = network::read_checkpoint(options.parent);
  network::check_finite(parent.inference_weights(), options.parent);
  const std::string hash = network::tensors_hash(parent.inference_weights()),
                    expected = certificate.at("parent").at("tensors_xxh3_128").get<std::string>();
  checks.add(output, "tensors of the parent", hash == expected,
             fmt::format("{} in the certificate, {} in {}", expected, hash, options.parent));
  checks.add(output, "class names of the parent", parent.names == model.names,
             fmt::format("{} and {} names", parent.names.size(), model.names.size()));
  const network::Reparameterized again = network::reparameterize(parent);
  const network::DataType type = model.inference_weights().entries().at(0).second.type;
  const std::string folded = network::tensors_hash(network::converted(again.weights, type)),
                    stored = network::tensors_hash(model.inference_weights());
  checks.add(output, "parent folded again", folded == stored,
             fmt::format("{} from the parent, {} in the file", folded, stored));
  const network::Network network = parent.build_network();
  const int stride = static_cast<int>(network.largest_stride());
  const std::vector<equivalence::ProofPicture> pictures = equivalence::generated_pictures(
      certificate.at("fingerprint").at("image_size").get<int>(), stride);
  const equivalence::Proof proof = equivalence::prove(
      {network, parent.inference_weights()}, {again.network, again.weights},
      model.inference_weights(), pictures, api::training_library().exact_outputs);
  checks.add(output, "parent and model, float64", proof.breach.empty(),
             proof.breach.empty() ? fmt::format("largest difference {:.2e} of the largest value",
                                                proof.exact.largest_relative())
                                  : proof.breach);
}

}  // namespace

void Checks::add(const Output& output, const std::string& what, bool holds,
                 const std::string& detail) {
  list.push_back({what, holds, detail});
  passed = passed && holds;
  output.line(fmt::format("{}: {} ({})", holds ? "holds" : "BROKEN", what, detail));
}

nlohmann::json Checks::json() const {
  nlohmann::json all = nlohmann::json::array();
  for (const One& one : list)
    all.push_back({{"check", one.what}, {"holds", one.holds}, {"detail", one.detail}});
  return all;
}

nlohmann::json run_verify(const std::vector<std::string>& arguments, Output& output) {
  VerifyOptions options;
  if (!parse_arguments(settings(options), arguments, output)) return {};
  if (options.weights.empty()) throw usage_error("verify: expected a model, found none");
  if (is_exported(options.weights)) {
    check_call(options, true);
    return verify_exported(options, output);
  }
  const network::Checkpoint model = network::read_checkpoint(options.weights);
  check_call(options, false);
  if (model.certificate.empty())
    throw Error(fmt::format(
        "{}: expected a certificate in the file, found none: models made by yolov7 reparam "
        "have one, and files of yolov7 export have one beside them",
        options.weights));
  const network::Network network = model.build_network();
  network::check(network, model.inference_weights());
  network::check_finite(model.inference_weights(), options.weights);
  const nlohmann::json certificate =
      parse_json(model.certificate, options.weights + ": certificate");
  Checks checks;
  try {
    const std::string hash = network::tensors_hash(model.inference_weights()),
                      expected = certificate.at("child").at("tensors_xxh3_128").get<std::string>();
    checks.add(output, "tensors", hash == expected,
               fmt::format("{} in the certificate, {} in the file", expected, hash));
    const std::string beside = equivalence::certificate_path(options.weights);
    if (std::filesystem::exists(beside))
      checks.add(output, "certificate beside the model",
                 text::trim(file::read(beside, 64u << 20)) == text::trim(model.certificate),
                 beside);
    else
      output.line(
          fmt::format("note: {} is not there; the certificate in the file is used", beside));
    check_outputs(checks, model, network, certificate.at("fingerprint"), output);
    if (!options.parent.empty()) check_parent(checks, options, model, certificate, output);
  } catch (const nlohmann::json::exception& error) {
    throw Error(fmt::format("{}: certificate: {}", options.weights, error.what()));
  }
  if (!checks.passed) output.code = ExitCode::failure;
  output.line(checks.passed ? fmt::format("{}: as certified on {}", options.weights,
                                          certificate.value("date", std::string("?")))
                            : fmt::format("{}: NOT as certified", options.weights));
  return {{"weights", options.weights}, {"verified", checks.passed}, {"checks", checks.json()}};
}

}  // namespace yolov7::cli
