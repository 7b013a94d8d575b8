#include "exporting/export_options.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/text.hpp"
#include "runtime/detect.hpp"

namespace yolov7::exporting {
namespace {

constexpr int default_class_offset = 4096;

}  // namespace

OutputForm output_form(const ExportOptions& o) {
  if (o.nms || (o.end2end && o.max_wh >= 0)) return OutputForm::nms_operator;
  if (o.end2end) return OutputForm::nms_plugin;
  return o.grid || o.fold_obj ? OutputForm::decoded : OutputForm::raw;
}

int class_offset(const ExportOptions& o) {
  if (o.agnostic_nms) return 0;
  return o.max_wh >= 0 ? o.max_wh : default_class_offset;
}

void check(const ExportOptions& o) {
  const auto exclude = [](bool both, const char* a, const char* b) {
    if (both) throw usage_error(fmt::format("export: expected {} or {}, found both", a, b));
  };
  exclude(o.half && o.int8, "--half", "--int8");
  exclude(o.mlmodel && o.int8, "--mlmodel", "--int8");
  exclude(o.fold_obj && output_form(o) > OutputForm::decoded, "--fold-obj",
          "suppression in the graph");
  if (o.int8 && o.no_verify)
    throw usage_error("export: --no-verify: files of --int8 are always compared with the weights");
  if (o.int8 && o.opset < 13)
    throw usage_error(fmt::format(
        "export: --opset: expected 13 or more with --int8 (a scale a channel), found {}", o.opset));
  if (o.half_io && !o.half) throw usage_error("export: --half-io: expected --half with it");
  if (o.max_wh >= 0 && !o.nms && !o.end2end)
    throw usage_error("export: --max-wh: expected --end2end or --nms with it");
  if (o.img_size.empty() || o.img_size.size() > 2)
    throw usage_error(fmt::format("export: --img-size: expected one or two numbers, found {}",
                                  o.img_size.size()));
  for (const int side : o.img_size)
    if (side < 1 || side > runtime::longest_input_side)
      throw usage_error(
          fmt::format("export: --img-size: expected numbers of 1 ... 16384, found {}", side));
}

void check_given(const ExportOptions& o, const std::vector<std::string>& given) {
  const auto refuse = [&](const char* name, const char* expected) {
    if (text::contains(given, name))
      throw usage_error(fmt::format("export: --{}: expected {} with it", name, expected));
  };
  if (o.data.empty())
    for (const char* name : {"split", "accuracy-budget"}) refuse(name, "--data");
  if (o.no_verify) refuse("images", "no --no-verify");
  if (o.int8) {
    if (o.data.empty() && o.images.empty())
      throw usage_error(
          "export: --int8: expected --data or --images for the calibration, found neither");
    return;
  }
  for (const char* name :
       {"per-tensor", "calib-images", "calib-method", "effort", "qdq", "sensitivity"})
    refuse(name, "--int8");
}

}  // namespace yolov7::exporting
