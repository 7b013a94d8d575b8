#pragma once
// Networks compiled by OpenVINO for the shapes in use, shared by all detectors over one model, and kept on disk where
// the user wants it: the same weights, shape and machine need no second compilation.
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "network/weights.hpp"
#include "runtime/detector.hpp"

namespace ov {
class CompiledModel;
class Core;
}  // namespace ov

namespace yolov7::runtime {

class CompiledModels {
 public:
  /// Errors: a precision that is unknown, or that this processor lacks.
  CompiledModels(std::shared_ptr<const network::NetworkAndWeights> model, const DetectorOptions& options);
  ~CompiledModels();

  /// Compiled now, or read from the cache, or still known: the last DetectorOptions::kept_shapes are. Thread-safe.
  std::shared_ptr<ov::CompiledModel> get(int count, int height, int width, bool float_input);
  const network::Network& network() const { return model_->network; }
  int threads() const { return threads_; }
  const DetectorOptions& options() const { return options_; }

 private:
  struct Entry {
    int count, height, width;
    bool float_input;
    std::shared_ptr<ov::CompiledModel> compiled;
  };
  std::shared_ptr<const network::NetworkAndWeights> runnable();
  std::shared_ptr<ov::CompiledModel> compile(int count, int height, int width, bool float_input);
  std::filesystem::path cache_file(int count, int height, int width, bool float_input);
  std::shared_ptr<ov::CompiledModel> from_cache(const std::filesystem::path& file);
  void to_cache(const ov::CompiledModel& compiled, const std::filesystem::path& file) const;

  std::shared_ptr<const network::NetworkAndWeights> model_, runnable_;
  DetectorOptions options_;
  int threads_;
  std::string identity_;  // of the weights; computed when a cache is used
  std::unique_ptr<ov::Core> core_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // most recently used first
};

}  // namespace yolov7::runtime
