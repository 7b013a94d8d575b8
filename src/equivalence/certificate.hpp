#pragma once
// The certificate of a derived model: what was compared with what, and fingerprints of the outputs
// for a later check.
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>
#include <string>

#include "equivalence/proof.hpp"
#include "network/checkpoint/checkpoint.hpp"

namespace yolov7::equivalence {

/// One side of a proof as the certificate names it.
struct CertifiedModel {
  std::string file;
  const network::Network& network;
  const network::Weights& weights;
  std::string precision;
};

struct CertificateRequest {
  std::string kind;  ///< "reparameterization"
  CertifiedModel parent, child;
  std::span<const equivalence::ProofPicture> pictures;
  const equivalence::Proof& proof;
  int fingerprint_size = 0;  ///< of the generated pictures
  std::span<const equivalence::Outputs>
      fingerprints;  ///< of the child as written, float64, on those pictures
};
nlohmann::json make_certificate(const CertificateRequest& request);

/// Compares outputs with the fingerprints of a certificate: the largest difference over the largest
/// value of its map. Error where they do not describe the same maps.
double fingerprint_difference(const nlohmann::json& fingerprints,
                              std::span<const equivalence::Outputs> outputs);

/// `x.pt` → `x.certificate.json`
std::string certificate_path(const std::string& model);

/// Of a file of an export, whose name stays whole, because several formats have the stem in common:
/// `x.onnx` → `x.onnx.certificate.json`, `x_openvino_model` → `x_openvino_model.certificate.json`.
std::filesystem::path file_certificate_path(const std::filesystem::path& file);
/// The way back; nothing where the name is not that of such a certificate.
std::optional<std::filesystem::path> certified_file(const std::filesystem::path& certificate);

nlohmann::json comparison_json(const equivalence::Comparison& comparison);

}  // namespace yolov7::equivalence
