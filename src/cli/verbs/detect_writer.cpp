#include "cli/verbs/detect_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "evaluation/metrics/coco_split.hpp"
#include "image/codec/codec.hpp"

namespace yolov7::cli {

namespace fs = std::filesystem;
using evaluation::rounded;
using runtime::Frame;
using runtime::FrameKind;

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

  void put(const Frame& frame, const runtime::VideoLibrary& library, const std::string& codec) {
    if (writer && size != frame.bgr.size()) close();  // a stream that came back larger
    if (!writer) {
      fs::path name = path;
      if (++files > 1) name.replace_filename(fmt::format("{}-{}.mp4", path.stem().string(), files));
      writer = library.create(name, frame.bgr.size(), rate, codec);
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

const std::string& name_of(const std::vector<std::string>& names, const Detection& d) {
  return names.at(static_cast<std::size_t>(d.class_index));
}

}  // namespace

std::string label_lines(const std::vector<Detection>& detections, cv::Size picture,
                        bool with_confidence, bool with_track) {
  std::string out;
  for (auto detection = detections.rbegin(); detection != detections.rend(); ++detection) {
    const CxcywhNormalized box = to_normalized(detection->box, picture.width, picture.height);
    out += fmt::format("{} {} {} {} {}", detection->class_index, text::general(box.cx),
                       text::general(box.cy), text::general(box.w), text::general(box.h));
    if (with_confidence) out += " " + text::general(detection->score);
    if (with_track) out += fmt::format(" {}", detection->track);
    out += '\n';
  }
  return out;
}

DetectWriter::DetectWriter(fs::path folder, std::vector<std::string> names, const Options& options)
    : folder_(std::move(folder)), names_(std::move(names)), options_(options) {
  if (options_.csv) {
    csv_.open(folder_ / "detections.csv", std::ios::trunc);
    csv_ << "source,frame,seconds,class,name,score,x1,y1,x2,y2,track\n";
    if (!csv_)
      throw Error(fmt::format("{}: cannot be written", (folder_ / "detections.csv").string()));
  }
  if (options_.json) {
    json_.open(folder_ / ".predictions.json.partial", std::ios::trunc);
    json_ << "[";
    if (!json_)
      throw Error(fmt::format("{}: cannot be written", (folder_ / "predictions.json").string()));
  }
}

DetectWriter::~DetectWriter() = default;

void DetectWriter::record(const Frame& frame, const std::vector<Detection>& detections) {
  if (options_.labels) write_labels(frame, detections);
  if (options_.labels && options_.tracks) write_tracks(frame, detections);
  if (options_.csv || options_.json) write_rows(frame, detections);
}

fs::path DetectWriter::label_path(const Frame& frame) const {
  const fs::path relative = folder_ / "labels" / frame.origin->relative;
  if (frame.origin->kind == FrameKind::picture) return fs::path(relative).replace_extension(".txt");
  return relative.parent_path() / fmt::format("{}_{}.txt", relative.stem().string(), frame.number);
}

void DetectWriter::write_labels(const Frame& frame, const std::vector<Detection>& detections) {
  const fs::path path = label_path(frame);
  std::string content =
      label_lines(detections, frame.bgr.size(), options_.confidences, options_.tracks);
  // Frames have numbers; only pictures can share a stem.
  if (frame.origin->kind == FrameKind::picture) {
    if (const auto [entry, first] = first_source_.emplace(path, frame.origin->name); !first) {
      log::warning(fmt::format("{} and {} share the label file {}; the lines of both are in it",
                               entry->second, frame.origin->name, path.string()));
      if (fs::exists(path)) content = file::read(path) + content;
    }
  }
  if (content.empty()) {
    // No file for a picture without objects, and none left of an earlier run either.
    std::error_code error;
    fs::remove(path, error);
    if (error)
      throw Error(fmt::format("{}: cannot remove this label file of an earlier run: {}",
                              path.string(), error.message()));
    return;
  }
  file::make_folder(path.parent_path());
  file::write_atomically(path, content, file::Sync::later);
}

/// MOTChallenge text, one file for a video, a stream, or a folder of pictures, whose numbers are
/// then the frames.
void DetectWriter::write_tracks(const Frame& frame, const std::vector<Detection>& detections) {
  const bool picture = frame.origin->kind == FrameKind::picture;
  const fs::path relative = picture ? frame.origin->relative.parent_path() / "pictures.txt"
                                    : fs::path(frame.origin->relative).replace_extension(".txt");
  const fs::path path = folder_ / "tracks" / relative;
  auto known = tracks_.find(path);
  if (known == tracks_.end()) {
    file::make_folder(path.parent_path());
    known = tracks_.emplace(path, std::ofstream(path, std::ios::trunc)).first;
  }
  for (const Detection& d : detections)
    known->second << fmt::format("{},{},{:.3f},{:.3f},{:.3f},{:.3f},{:.5f},{},-1,-1\n",
                                 picture ? frame.origin->number : frame.number, d.track, d.box.x1,
                                 d.box.y1, d.box.width(), d.box.height(), d.score, d.class_index);
  if (!known->second.flush()) throw Error(fmt::format("{}: cannot be written", path.string()));
}

void DetectWriter::write_rows(const Frame& frame, const std::vector<Detection>& detections) {
  const bool picture = frame.origin->kind == FrameKind::picture;
  const nlohmann::json image_id =
      options_.json ? nlohmann::json::parse(evaluation::image_id(frame.origin->relative))
                    : nlohmann::json();
  for (const Detection& d : detections) {
    if (options_.csv)
      csv_ << fmt::format("{},{},{:.3f},{},{},{:.5f},{:.3f},{:.3f},{:.3f},{:.3f},{}\n",
                          text::csv(frame.origin->name), picture ? 0 : frame.number, frame.seconds,
                          d.class_index, text::csv(name_of(names_, d)), d.score, d.box.x1, d.box.y1,
                          d.box.x2, d.box.y2, d.track > 0 ? fmt::format("{}", d.track) : "");
    if (!options_.json) continue;
    nlohmann::json one{{"image_id", image_id},
                       {"file_name", frame.origin->name},
                       {"category_id", d.class_index},
                       {"category_name", name_of(names_, d)},
                       {"bbox",
                        {rounded(d.box.x1, 1e3), rounded(d.box.y1, 1e3),
                         rounded(d.box.width(), 1e3), rounded(d.box.height(), 1e3)}},
                       {"score", rounded(d.score, 1e5)}};
    if (!picture) one["frame"] = frame.number, one["seconds"] = frame.seconds;
    if (d.track > 0) one["track_id"] = d.track;
    json_ << (json_first_ ? "\n" : ",\n")
          << one.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    json_first_ = false;
  }
  if (csv_.is_open() && !csv_.flush())
    throw Error(fmt::format("{}: cannot be written", (folder_ / "detections.csv").string()));
  if (json_.is_open() && !json_)
    throw Error(fmt::format("{}: cannot be written", (folder_ / "predictions.json").string()));
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
    std::string stem = frame.origin->relative.stem().string();
    if (frame.origin->kind != FrameKind::picture) stem += fmt::format("_{}", frame.number);
    const fs::path folder = folder_ / "crops" /
                            fmt::format("{} {}", detections[i].class_index,
                                        text::file_name(name_of(names_, detections[i]))) /
                            frame.origin->relative.parent_path();
    file::make_folder(folder);
    write_picture(folder / fmt::format("{}-{}.jpg", stem, i + 1), frame.bgr(part).clone(),
                  picture_quality, file::Sync::later);
  }
}

void DetectWriter::draw(Frame& frame, const std::vector<Detection>& detections) const {
  if (options_.crops) write_crops(frame, detections);
  if (!options_.pictures && !options_.viewed) return;
  draw_detections(frame.bgr, detections, names_, options_.draw);
  if (!options_.pictures || frame.origin->kind != FrameKind::picture) return;
  fs::path path = folder_ / frame.origin->relative;
  if (!is_writable_name(path)) path += ".jpg";  // formats that are read only
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
  video->path = folder_ / relative;
  video->live = frame.origin->kind == FrameKind::stream;
  if (frame.origin->rate > 0 && frame.origin->rate < 1000) video->rate = frame.origin->rate;
  if (!video->live) video->rate /= options_.stride;
  return *videos_.emplace(relative, std::move(video)).first->second;
}

void DetectWriter::deliver(const Frame& frame) {
  if (!options_.pictures || frame.origin->kind == FrameKind::picture || frame.bgr.empty()) return;
  video_of(frame).put(frame, *options_.videos, options_.codec);
}

void DetectWriter::finish() {
  for (auto& [name, video] : videos_) video->close();
  videos_.clear();
  if (csv_.is_open()) csv_.close();
  if (!json_.is_open()) return;
  json_ << "\n]\n";
  json_.close();
  if (!json_)
    throw Error(fmt::format("{}: cannot be written", (folder_ / "predictions.json").string()));
  fs::rename(folder_ / ".predictions.json.partial", folder_ / "predictions.json");
}

}  // namespace yolov7::cli
