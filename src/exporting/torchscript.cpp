#include "exporting/torchscript.hpp"

#include <fmt/format.h>

#include <cstdint>

#include "core/error.hpp"

namespace yolov7::exporting {
namespace {

/// LibTorch's writer ends the process where it cannot write, so that is found before.
void require_space(const ExportModel& model, bool half, const std::filesystem::path& folder) {
  constexpr std::uint64_t besides = 8 << 20;
  std::uint64_t bytes = 0;
  for (const auto& entry : model.fused->weights.entries()) bytes += entry.second.bytes.size();
  const std::uint64_t wanted = (half ? bytes / 2 : bytes) + besides;
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(folder, error);
  if (!error && space.available < wanted)
    throw Error(
        fmt::format("torchscript: the disk is full: expected {:.1f} MB of space in {}, "
                    "found {:.1f}. Nothing is written",
                    static_cast<double>(wanted) / 1e6, folder.string(),
                    static_cast<double>(space.available) / 1e6));
}

void write(const ExportModel& model, const ExportOptions& options, bool lite,
           const std::filesystem::path& path) {
  if (model.script_library == nullptr)
    throw Error("torchscript: this needs the training library, found none");
  if (options.half) require_float16_range(model);
  require_space(model, options.half, path.parent_path());
  ExportModel own = model;
  if (own.form != OutputForm::raw) own.form = OutputForm::decoded;
  model.script_library().write(own, options, metadata(own, options, layout(own, options)), lite,
                               path);
}

}  // namespace

void write_torchscript(const ExportModel& model, const ExportOptions& options,
                       const std::filesystem::path& path) {
  write(model, options, false, path);
}

void write_torchscript_lite(const ExportModel& model, const ExportOptions& options,
                            const std::filesystem::path& path) {
  write(model, options, true, path);
}

}  // namespace yolov7::exporting
