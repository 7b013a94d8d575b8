#include "exporting/trtexec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/text.hpp"

namespace yolov7::exporting {
namespace {

namespace fs = std::filesystem;

std::string line(const ExportModel& model, const ExportOptions& options, const fs::path& onnx,
                 const fs::path& engine, const std::string& memory, bool chooses_types) {
  const fs::path built = engine.empty() ? fs::path(onnx).replace_extension(".engine") : engine;
  // A file with quantizers needs --int8 where the builder chooses the types.
  const char* type = options.int8 ? " --int8" : options.half ? " --fp16" : "";
  std::string all =
      fmt::format("trtexec --onnx={} --saveEngine={}{} {}", text::shell_word(onnx.string()),
                  text::shell_word(built.string()), chooses_types ? type : "", memory);
  if (options.dynamic_batch) {
    const auto shape = [&](int batch) {
      return fmt::format("images:{}x3x{}x{}", batch, model.height, model.width);
    };
    all += fmt::format(" --minShapes={} --optShapes={} --maxShapes={}", shape(1),
                       shape(std::max(1, model.batch / 2)), shape(model.batch));
  }
  if (!options.cache.empty())
    all += fmt::format(" --timingCacheFile={}", text::shell_word(options.cache));
  return all;
}

}  // namespace

std::string trtexec_line(const ExportModel& model, const ExportOptions& options,
                         const fs::path& onnx, const fs::path& engine) {
  return trtexec_lines(model, options, onnx, engine).at(1).second;
}

std::vector<std::pair<std::string, std::string>> trtexec_lines(const ExportModel& model,
                                                               const ExportOptions& options,
                                                               const fs::path& onnx,
                                                               const fs::path& engine) {
  const long mebibytes = std::lround(options.workspace * 1024);
  const std::string pool = fmt::format("--memPoolSize=workspace:{}", mebibytes);
  // From 11 on an engine has the types of the file: float32, and integers with --int8.
  return {{"up to 8.5",
           line(model, options, onnx, engine, fmt::format("--workspace={}", mebibytes), true)},
          {"8.6 to 10", line(model, options, onnx, engine, pool, true)},
          {options.half ? "11 on, float32; for float16 give it the file of --include onnx --half"
                        : "11 on",
           line(model, options, onnx, engine, pool, false)}};
}

}  // namespace yolov7::exporting
