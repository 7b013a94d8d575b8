#pragma once
// ONNX Runtime, loaded where it is found. Its C interface is one exported function and a table of
// function pointers that versions only append to, so a place in the table means the same function
// in every version (onnxruntime.ai, "C API"). The handful that is used here is declared by place;
// no header of ONNX Runtime is needed to build.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace yolov7::runtime {

enum class OrtType { other, float32, float16 };

struct OrtTensor {
  std::string name;
  OrtType type = OrtType::other;
  std::vector<std::int64_t> sides;  ///< −1 = open
};

/// One model. run() may be called from several threads.
class OrtSession {
 public:
  struct Impl;
  explicit OrtSession(std::unique_ptr<Impl> impl);
  ~OrtSession();
  const std::vector<OrtTensor>& inputs() const;
  const std::vector<OrtTensor>& outputs() const;
  /// Of metadata_props; "" where the key is not there.
  std::string metadata(const char* key) const;

  struct Output {
    std::vector<std::size_t> sides;
    std::vector<float> values;
  };
  /// `values`: of the first input, with these sides; the session converts them to its type. Error:
  /// one line with what ONNX Runtime says.
  std::vector<Output> run(const std::vector<std::int64_t>& sides, std::vector<float>& values);

 private:
  std::unique_ptr<Impl> impl_;
};

/// The version of the library that is loaded. Error: none is found, with where it was looked for.
std::string ort_version();
/// Errors: the library, as above; what it cannot read, in one line.
std::shared_ptr<OrtSession> open_ort_session(const std::string& path, int threads);

/// One line of what ONNX Runtime says, without the places in its own source.
std::string ort_reason(std::string_view what);

}  // namespace yolov7::runtime
