#include "exporting/tflite.hpp"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/json.hpp"
#include "exporting/channels_last.hpp"
#include "exporting/tflite_graph.hpp"
#include "exporting/wire/stored_zip.hpp"

namespace yolov7::exporting {
namespace {

std::string metadata_json(const ExportModel& model, const ExportOptions& options) {
  nlohmann::ordered_json object;
  for (const auto& [key, value] : metadata(model, options, channels_last_layout(options)))
    object[key] = value;
  // Texts of metadata are printable already; the tree of core is not ordered.
  return object.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace

void write_tflite(const ExportModel& model, const ExportOptions& options,
                  const std::filesystem::path& path) {
  if (options.half) require_float16_range(model);
  require_quantization(model, options);
  const ExportModel own = channels_last_model(model, options);
  TfliteGraph graph(options.half, own.dynamic_batch, own.fused);
  const int images =
      graph.input("images", TfliteType::float32, {own.batch, own.height, own.width, 3});
  graph.output("output0", "output_0", channels_last(graph, own, options, images).first);
  const FlatFile content = graph.file(own.description);
  const std::string archive =
      stored_zip("metadata.json", metadata_json(own, options), content.size());
  const std::uint64_t size = content.size() + archive.size();
  if (size > flatbuffer_limit)
    throw Error(
        fmt::format("tflite: expected at most 2 GB, which is the format's limit, found {:.1f}",
                    static_cast<double>(size) / 1e9));
  std::ofstream out(path, std::ios::binary);
  content.write(out);
  out << archive;
  if (!out.flush()) throw Error(fmt::format("{}: cannot be written", path.string()));
}

}  // namespace yolov7::exporting
