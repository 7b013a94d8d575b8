#include "exporting/export_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/error.hpp"
#include "core/text.hpp"
#include "runtime/detect.hpp"

namespace yolov7::exporting {
namespace {

constexpr int default_class_offset = 4096;
/// 2^24 / 32: up to here neighbouring numbers of float32 are 1/32 apart at most.
constexpr std::int64_t most_reach = std::int64_t{1} << 19;

std::int64_t reach(int offset, int class_count) { return std::int64_t{offset} * class_count; }

}  // namespace

OutputForm output_form(const ExportOptions& o) {
  if (o.nms || (o.end2end && o.max_wh >= 0)) return OutputForm::nms_operator;
  if (o.end2end) return OutputForm::nms_plugin;
  return o.grid || o.fold_obj ? OutputForm::decoded : OutputForm::raw;
}

bool across_classes(const ExportOptions& o) { return o.agnostic_nms || o.max_wh == 0; }

int class_offset(const ExportOptions& o, int class_count, int longer_side) {
  if (across_classes(o)) return 0;
  if (o.max_wh > 0) return o.max_wh;
  if (longer_side == 0 || reach(default_class_offset, class_count) <= most_reach)
    return default_class_offset;
  return std::min(default_class_offset, 2 * longer_side);
}

std::string class_offset_note(int offset, int class_count, int longer_side) {
  const std::int64_t farthest = reach(offset, class_count);
  if (farthest <= most_reach) return {};
  return fmt::format(
      "a class offset of {} px: with {} classes boxes are moved by up to {} px, where float32 has "
      "steps of {:g} px, to which they are rounded before their overlap is computed; {}",
      offset, class_count, farthest,
      std::ldexp(1.0, std::ilogb(static_cast<double>(farthest)) - 23),
      most_reach / class_count >= 2 * longer_side
          ? fmt::format("expected an offset of at most {} (--max-wh)", most_reach / class_count)
          : "a smaller offset lets neighbouring classes suppress each other: suppression outside "
            "the file has no such limit");
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
  if (o.agnostic_nms && o.max_wh > 0)
    throw usage_error(fmt::format(
        "export: --max-wh: expected 0 with --agnostic-nms, which does not look at classes, found "
        "{}",
        o.max_wh));
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
