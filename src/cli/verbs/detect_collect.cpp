#include "cli/verbs/detect_collect.hpp"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/verbs/detect_report.hpp"
#include "dataset/formats/output_folder.hpp"

namespace yolov7::cli {
namespace {

active::CollectOptions checked(const DetectOptions& options, const runtime::SourceList& list) {
  std::set<std::filesystem::path> folders;
  for (const runtime::SourcePicture& picture : list.pictures)
    folders.insert(std::filesystem::absolute(picture.path).parent_path());
  dataset::require_outside(options.collect,
                           std::vector<std::filesystem::path>(folders.begin(), folders.end()));
  active::CollectOptions collecting = options.collecting;
  collecting.folder = options.collect;
  collecting.least = options.look.nms.conf_thres;
  return collecting;
}

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

FrameCollector::FrameCollector(const DetectOptions& options, const runtime::SourceList& list,
                               const std::vector<std::string>& names, const std::string& model)
    : folder_(options.collect), collector_(checked(options, list), names, model) {}

void FrameCollector::offer(const runtime::Frame& frame, const std::vector<Detection>& detections) {
  const bool picture = frame.origin->kind == runtime::FrameKind::picture;
  collector_.offer({.bgr = frame.bgr,
                    .file = picture ? frame.origin->name : "",
                    .source = frame.origin->name,
                    .frame = frame.number,
                    .detections = detections},
                   seconds_since_1970());
}

std::string FrameCollector::line() const {
  const active::CollectCounts& c = collector_.counts();
  return fmt::format(
      "collected in {}: {} of {}; not kept: {} that show what is kept already, {} over the limit "
      "per hour, {} over the limit of space",
      folder_, c.kept, counted(c.doubtful, "doubtful image"), c.similar, c.over_rate, c.over_space);
}

nlohmann::json FrameCollector::report() const {
  const active::CollectCounts& c = collector_.counts();
  return {{"folder", folder_},         {"looked_at", c.looked_at},
          {"doubtful", c.doubtful},    {"kept", c.kept},
          {"similar", c.similar},      {"over_rate", c.over_rate},
          {"over_space", c.over_space}};
}

}  // namespace yolov7::cli
