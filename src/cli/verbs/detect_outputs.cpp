#include "cli/verbs/detect_outputs.hpp"

#include "core/log.hpp"
#include "dataset/index/label.hpp"

namespace yolov7::cli {

DetectWriter::Options writer_options(const DetectOptions& options) {
  DetectWriter::Options writer;
  writer.labels = options.save_txt;
  writer.confidences = options.save_conf;
  writer.tracks = options.track;
  writer.pictures = !options.nosave;
  writer.crops = options.save_crop;
  writer.viewed = options.view_img;
  writer.json = options.save_json;
  writer.csv = options.save_csv;
  writer.draw = options.draw;
  writer.draw.seed = static_cast<std::uint64_t>(options.seed);
  writer.stride = options.vid_stride;
  writer.codec = options.video_codec;
  return writer;
}

void protect_inputs(const DetectOptions& options, const runtime::SourceList& list,
                    OutputGuard& guard) {
  for (const std::string& weights : options.model.weights) guard.protect(weights, "--weights");
  guard.protect(options.source, "--source");
  const auto protect = [&](const std::filesystem::path& file) {
    guard.protect(file, "--source " + file.string());
    guard.protect(dataset::label_path(file), "the label file of " + file.string());
  };
  for (const runtime::SourcePicture& one : list.pictures) protect(one.path);
  for (const runtime::SourceVideo& one : list.videos)
    if (one.origin == runtime::VideoOrigin::file) protect(one.source);
}

void warn_of_names(const DetectOptions& options, const runtime::ResultNames& names) {
  const std::string stems = names.stems_told_apart(), ids = names.ids_are_numbers();
  if ((options.save_txt || options.save_crop) && !stems.empty()) log::warning(stems);
  if (options.save_json && !ids.empty()) log::warning(ids);
}

}  // namespace yolov7::cli
