#pragma once
// Networks compiled by OpenVINO for the shapes in use, shared by all detectors over one model, and
// kept on disk where the user wants it: the same weights, shape and machine need no second
// compilation.
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include "core/recently_used.hpp"
#include "network/graph/weights.hpp"
#include "runtime/detector.hpp"
#include "runtime/openvino/quantized_form.hpp"

namespace ov {
class CompiledModel;
class Core;
}  // namespace ov

namespace yolov7::runtime {

/// What a network is compiled for: [count, 3, height, width] of bytes, or of floats.
struct InputShape {
  int count = 0, height = 0, width = 0;
  bool floats = false;
  bool operator==(const InputShape&) const = default;
};

class CompiledModels {
 public:
  /// Errors: a precision that is unknown, or that this processor lacks.
  CompiledModels(std::shared_ptr<const network::NetworkAndWeights> model,
                 const DetectorOptions& options, QuantizedForm quantized = {});
  ~CompiledModels();

  /// Compiled now, or read from the cache, or still known: the last DetectorOptions::kept_shapes
  /// are. Thread-safe.
  std::shared_ptr<ov::CompiledModel> get(const InputShape& shape);
  const network::Network& network() const { return model_->network; }
  int threads() const { return threads_; }
  bool quantized() const { return quantized_.plan != nullptr; }
  const DetectorOptions& options() const { return options_; }

 private:
  std::shared_ptr<const network::NetworkAndWeights> runnable();
  std::shared_ptr<ov::CompiledModel> compile(const InputShape& shape);
  std::filesystem::path cache_file(const InputShape& shape);
  std::shared_ptr<ov::CompiledModel> from_cache(const std::filesystem::path& file);
  void to_cache(const ov::CompiledModel& compiled, const std::filesystem::path& file) const;

  std::shared_ptr<const network::NetworkAndWeights> model_, runnable_;
  DetectorOptions options_;
  QuantizedForm quantized_;
  int threads_;
  std::string identity_;  // of the weights; computed when a cache is used
  std::unique_ptr<ov::Core> core_;
  std::mutex mutex_;
  RecentlyUsed<InputShape, std::shared_ptr<ov::CompiledModel>> kept_;
};

}  // namespace yolov7::runtime
