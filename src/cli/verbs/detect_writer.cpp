#include "cli/verbs/detect_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <system_error>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "image/codec/codec.hpp"
#include "runtime/results/labels.hpp"

namespace yolov7::cli {

namespace fs = std::filesystem;
using runtime::Frame;
using runtime::FrameKind;
using runtime::ResultNames;
using runtime::SourceNames;

/// An annotated video. Each frame keeps its time, so that a video lasts as long as its source, and
/// that of a stream runs as fast as life did.
struct DetectWriter::Video {
  static constexpr double usual_rate = 30, longest_pause = 10;

  fs::path path;
  double rate = usual_rate;
  bool live = false;
  std::unique_ptr<runtime::VideoWriter> writer;
  cv::Size size;
  std::size_t files = 0;
  double offset = 0, last = 0;  ///< last: the time of the latest frame in the file

  /// The first file has the name that was planned; another begins where the size changes.
  fs::path next_name(OutputGuard& guard) {
    if (++files == 1) return path;
    const auto name = [&] {
      return path.parent_path() / fmt::format("{}-{}.mp4", path.stem().string(), files);
    };
    while (!guard.allows(name())) ++files;
    guard.claim(name());
    return name();
  }

  void put(const Frame& frame, const runtime::VideoLibrary& library, const std::string& codec,
           OutputGuard& guard) {
    if (writer && size != frame.bgr.size()) close();  // a stream that came back larger
    if (!writer) {
      writer = library.create(next_name(guard), frame.bgr.size(), rate, codec);
      size = frame.bgr.size();
      offset = frame.seconds;
      last = 0;
    }
    if (live && frame.seconds - offset - last > longest_pause)
      offset = frame.seconds - last - longest_pause;  // a longer pause is shown shorter
    last = frame.seconds - offset;
    writer->write(frame.bgr, last);
  }
  void close() {
    if (writer) writer->finish();
    writer.reset();
  }
};

namespace {

constexpr int picture_quality = 95;

}  // namespace

DetectWriter::DetectWriter(fs::path folder, std::vector<std::string> names,
                           const ResultNames& results, OutputGuard& guard, const Options& options)
    : folder_(std::move(folder)),
      names_(std::move(names)),
      results_(results),
      guard_(guard),
      options_(options) {
  if (options_.csv) csv_.emplace(folder_ / "detections.csv", names_);
  if (options_.json) json_.emplace(folder_ / "predictions.json", names_);
}

DetectWriter::~DetectWriter() = default;

std::vector<fs::path> DetectWriter::planned(const fs::path& folder, const ResultNames& results,
                                            const Options& options) {
  std::vector<fs::path> paths;
  std::set<fs::path> tracks;  // a folder of images has one file
  if (options.csv) paths.push_back(folder / "detections.csv");
  if (options.json) paths.push_back(folder / "predictions.json");
  for (const SourceNames& one : results.all()) {
    if (options.pictures) paths.push_back(folder / one.annotated);
    if (options.labels && one.kind == FrameKind::picture)
      paths.push_back(folder / runtime::label_file(one.stem));
    if (options.labels && options.tracks && tracks.insert(one.tracks).second)
      paths.push_back(folder / one.tracks);
  }
  return paths;
}

void DetectWriter::record(const Frame& frame, const std::vector<Detection>& detections) {
  if (options_.labels) write_labels(frame, detections);
  if (options_.labels && options_.tracks)
    tracks_.write(folder_ / results_.tracks(frame),
                  frame.origin->kind == FrameKind::picture ? frame.origin->number : frame.number,
                  detections);
  if (csv_) csv_->write(frame, detections);
  if (json_) json_->write(frame, results_.image_id(frame), detections);
}

/// In ascending score.
void DetectWriter::write_labels(const Frame& frame, const std::vector<Detection>& detections) {
  const fs::path path = folder_ / results_.labels(frame);
  if (frame.origin->kind != FrameKind::picture) guard_.check(path);
  std::string lines;
  for (auto detection = detections.rbegin(); detection != detections.rend(); ++detection)
    lines +=
        runtime::label_line(*detection, frame.bgr.size(), options_.confidences, options_.tracks);
  runtime::write_label_file(path, lines, file::Sync::later);
}

void DetectWriter::remove_earlier(const Frame& frame) const {
  if (frame.origin->kind != FrameKind::picture) return;
  if (options_.labels) runtime::write_label_file(folder_ / results_.labels(frame), "");
  if (!options_.pictures) return;
  const fs::path path = folder_ / results_.annotated(frame);
  std::error_code error;
  fs::remove(path, error);
  if (error && error != std::errc::no_such_file_or_directory)
    throw Error(fmt::format("{}: cannot remove this image of an earlier run: {}", path.string(),
                            error.message()));
}

void DetectWriter::write_crops(const Frame& frame, const std::vector<Detection>& detections) const {
  const cv::Rect whole(0, 0, frame.bgr.cols, frame.bgr.rows);
  for (std::size_t i = 0; i < detections.size(); ++i) {
    const Xyxy& box = detections[i].box;
    const int x = static_cast<int>(std::floor(box.x1)), y = static_cast<int>(std::floor(box.y1));
    const cv::Rect part = cv::Rect(x, y, static_cast<int>(std::ceil(box.x2)) - x,
                                   static_cast<int>(std::ceil(box.y2)) - y) &
                          whole;
    if (part.empty()) continue;
    const int index = detections[i].class_index;
    const std::string name = names_.at(static_cast<std::size_t>(index));
    const fs::path path =
        folder_ / results_.crop(frame, fmt::format("{} {}", index, text::file_name(name)), i + 1);
    guard_.check(path);
    file::make_folder(path.parent_path());
    write_picture(path, frame.bgr(part).clone(), picture_quality, file::Sync::later);
  }
}

void DetectWriter::draw(Frame& frame, const std::vector<Detection>& detections) const {
  if (options_.crops) write_crops(frame, detections);
  if (!options_.pictures && !options_.viewed) return;
  draw_detections(frame.bgr, detections, names_, options_.draw);
  if (!options_.pictures || frame.origin->kind != FrameKind::picture) return;
  const fs::path path = folder_ / results_.annotated(frame);
  file::make_folder(path.parent_path());
  write_picture(path, frame.bgr, picture_quality, file::Sync::later);
}

DetectWriter::Video& DetectWriter::video_of(const Frame& frame) {
  const fs::path& relative = frame.origin->relative;
  if (const auto known = videos_.find(relative); known != videos_.end()) return *known->second;
  // Videos come one after the other, streams all the time.
  if (frame.origin->kind == FrameKind::video) {
    for (auto& [name, video] : videos_) video->close();
    videos_.clear();
  }
  auto video = std::make_unique<Video>();
  video->path = folder_ / results_.annotated(frame);
  video->live = frame.origin->kind == FrameKind::stream;
  if (frame.origin->rate > 0 && frame.origin->rate < 1000) video->rate = frame.origin->rate;
  if (!video->live) video->rate /= options_.stride;
  return *videos_.emplace(relative, std::move(video)).first->second;
}

void DetectWriter::deliver(const Frame& frame) {
  if (!options_.pictures || frame.origin->kind == FrameKind::picture || frame.bgr.empty()) return;
  video_of(frame).put(frame, *options_.videos, options_.codec, guard_);
}

void DetectWriter::finish() {
  for (auto& [name, video] : videos_) video->close();
  videos_.clear();
  if (csv_) csv_->finish();
  if (json_) json_->finish();
}

}  // namespace yolov7::cli
