#pragma once
// What every emitter gets: the network as it is executed, what stands around it, and what the file
// tells about itself.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "exporting/export_options.hpp"
#include "network/checkpoint/checkpoint.hpp"
#include "network/graph/detector_program.hpp"
#include "network/graph/weights.hpp"
#include "network/transform/quantization.hpp"

namespace yolov7::exporting {

struct ScriptLibrary;

class BackedWeights;

struct ExportModel {
  /// Folded, float32: no RepConv branch, implicit tensor or auxiliary head is left, and a
  /// batch-norm only where no convolution comes before it.
  std::shared_ptr<const network::NetworkAndWeights> fused;
  /// Gives the memory of `fused` back while a file is open; none: it stays.
  std::shared_ptr<const BackedWeights> backed = nullptr;
  /// What formats of 8-bit integers get in the place of `fused`: the same network with channels
  /// multiplied and the weights that read them divided. None: `fused`.
  std::shared_ptr<const network::NetworkAndWeights> equalized = nullptr;
  /// What is 8-bit integers; none: nothing is.
  std::shared_ptr<const network::Quantization> quantization = nullptr;
  /// What a certificate says of it, in order: how it was calibrated, what stayed in float32.
  std::vector<std::pair<std::string, std::string>> quantization_facts = {};
  network::DetectorProgram program;  ///< for height × width, images come in as floats in 0 … 1
  int batch = 1, height = 640, width = 640;  ///< sides: multiples of the largest stride
  bool dynamic_batch = false;                ///< `batch` is an example only
  bool dynamic_size = false;  ///< `height`, `width` and the sizes in `program` are examples only
  OutputForm form = OutputForm::raw;
  std::vector<std::string> names;  ///< one a class
  std::string description;         ///< "yolov7-tiny, 80 classes"
  std::string date;                ///< of the weights, ISO 8601, so that a repeat gives equal bytes
  std::string weights_sha256;      ///< of the checkpoint; empty = not known
  /// Loads what TorchScript needs (exporting/torchscript.hpp); none: the format is refused.
  const ScriptLibrary& (*script_library)() = nullptr;
  /// Where it is there, an emitter leaves the name that each value of the program has in the file,
  /// by its number. For finding the operation that differs (equivalence/first_difference.hpp).
  std::vector<std::string>* value_names = nullptr;
  void name_value(int number, const std::string& name) const;

  const network::Network& network() const { return fused->network; }
  bool decoded() const { return form != OutputForm::raw; }
  /// 0: open.
  int longer_side() const { return dynamic_size ? 0 : std::max(height, width); }
};

/// Folds the weights that detect and val take. Errors: options out of order, what folding reports,
/// weights that are not finite, names that do not fit the class count.
ExportModel make_export_model(const network::Checkpoint& checkpoint, const ExportOptions& options);
/// The same for a network at hand. `names` may be empty: "class0", "class1", ….
ExportModel make_export_model(const network::Network& network, const network::Weights& weights,
                              std::vector<std::string> names, const ExportOptions& options);

/// The number of a value or of a level as an index.
inline std::size_t index(int number) { return static_cast<std::size_t>(number); }

using Metadata = std::vector<std::pair<std::string, std::string>>;
/// The keys that all formats have (export 0), in order, and strides and anchors (pixels) of the
/// levels. `layout` is the format's: "v5", "v8", "tf", "raw", "nms6", "coreml-nms", "end2end-ort",
/// "end2end-trt".
Metadata metadata(const ExportModel& model, const ExportOptions& options, std::string_view layout);
/// Of the forms that have the same name in all formats of channels-first tensors.
std::string_view layout(const ExportModel& model, const ExportOptions& options);
/// {0: 'person', 1: 'it\'s'}
std::string names_literal(const std::vector<std::string>& names);
/// One pair a line, values as text.
std::string metadata_yaml(const Metadata& metadata);

/// Error: 8-bit integers are asked for, and nothing says which.
void require_quantization(const ExportModel& model, const ExportOptions& options);
/// Error: a weight that float16 cannot hold, by name.
void require_float16_range(const ExportModel& model);

}  // namespace yolov7::exporting
