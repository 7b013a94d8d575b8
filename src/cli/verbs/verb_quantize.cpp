// yolov7 quantize: export --int8 with its report, under its own name.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/verbs/export_files.hpp"
#include "core/text.hpp"
#include "exporting/export_settings.hpp"
#include "exporting/format_table.hpp"

namespace yolov7::cli {
namespace {

/// What an export has, without the numbers that are no 8-bit integers.
Settings quantize_settings(exporting::ExportOptions& options) {
  Settings table = exporting::settings(options);
  table.title = "quantize";
  std::erase_if(table.entries, [](const Setting& one) {
    return one.name == "int8" || one.name == "half" || one.name == "half-io" ||
           one.name == "no-verify" || one.name == "optimize" || one.name == "mlmodel";
  });
  return table;
}

}  // namespace

nlohmann::json run_quantize(const std::vector<std::string>& arguments, Output& output) {
  exporting::ExportOptions options;
  options.int8 = true;
  options.include = {"openvino"};
  const Settings table = quantize_settings(options);
  if (!parse_arguments(table, arguments, output)) return {};
  if (options.weights.empty()) throw usage_error("quantize: expected --weights, found none");
  if (options.data.empty() && options.images.empty())
    throw usage_error("quantize: expected --data or --images for the calibration, found neither");
  for (const exporting::Format* one : exporting::chosen_formats(options.include))
    if (!exporting::honours(*one, "int8")) {
      std::vector<std::string> names;
      for (const exporting::Format& each : exporting::formats())
        if (exporting::honours(each, "int8")) names.emplace_back(each.name);
      throw usage_error(fmt::format("quantize: --include: expected {}, found {}",
                                    text::join(names, ", "), one->name));
    }
  exporting::check(options);
  std::vector<std::string> given = given_names(table, arguments);
  std::erase_if(given, [&](const std::string& name) {
    return std::ranges::none_of(table.entries,
                                [&](const Setting& one) { return one.name == name; });
  });
  exporting::check_given(options, given);
  return export_files(options, given, output);
}

}  // namespace yolov7::cli
