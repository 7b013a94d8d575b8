#include "exporting/tflite.hpp"

#include <fmt/format.h>

#include <fstream>

#include "core/error.hpp"
#include "exporting/channels_last.hpp"
#include "exporting/metadata_json.hpp"
#include "exporting/tflite_graph.hpp"
#include "exporting/wire/stored_zip.hpp"

namespace yolov7::exporting {

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
  const std::string archive = stored_zip(
      "metadata.json", metadata_json(metadata(own, options, channels_last_layout(options))) + "\n",
      content.size());
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
