#include "exporting/torchscript.hpp"

#include "core/error.hpp"

namespace yolov7::exporting {
namespace {

void write(const ExportModel& model, const ExportOptions& options, bool lite,
           const std::filesystem::path& path) {
  if (model.script_library == nullptr)
    throw Error("torchscript: this needs the training library, found none");
  if (options.half) require_float16_range(model);
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
