#include "runtime/frames/frames.hpp"

#include <fmt/format.h>

#include <chrono>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "image/codec/further_images.hpp"

namespace yolov7::runtime {
namespace {

using Clock = std::chrono::steady_clock;

/// The time that the user gave a run.
class Deadline {
 public:
  explicit Deadline(double seconds) : seconds_(seconds), start_(Clock::now()) {}
  bool over() const {
    return seconds_ > 0 && std::chrono::duration<double>(Clock::now() - start_).count() >= seconds_;
  }

 private:
  double seconds_;
  Clock::time_point start_;
};

class PictureFrames final : public FrameSource {
 public:
  PictureFrames(std::vector<SourcePicture> pictures, const FrameLimits& limits)
      : pictures_(std::move(pictures)), limits_(limits), deadline_(limits.seconds) {}

  bool next(Frame& frame) override {
    check_stop(limits_.stop);
    if (at_ == pictures_.size()) return false;
    if (deadline_.over()) {
      log::warning(fmt::format("{} of {} images are left out: the time is over",
                               pictures_.size() - at_, pictures_.size()));
      at_ = pictures_.size();
      return false;
    }
    const SourcePicture& one = pictures_[at_++];
    frame = {};
    frame.origin = std::make_shared<FrameOrigin>(FrameOrigin{
        FrameKind::picture, one.path.string(), one.relative, at_, pictures_.size(), 0, 1});
    return true;
  }
  void load(Frame& frame) override {
    if (!frame.bgr.empty() || !frame.error.empty() || frame.origin->kind != FrameKind::picture)
      return;
    try {
      const std::string& name = frame.origin->name;
      const std::string bytes = file::read(name, limits_.picture.file_bytes);
      if (const std::string why = why_unread(name, bytes); !why.empty()) picture_error(name, why);
      const ReducedPicture picture = decode_reduced_picture(bytes, name, 0, limits_.picture);
      frame.bgr = picture.bgr;
      frame.rows = picture.rows;
      frame.further = further_images(bytes);
      if (frame.further > 0)
        log::warning(fmt::format("{}: further images of this file, which are not looked at: {}",
                                 name, frame.further));
      if (!picture.rows.whole())
        log::warning(fmt::format("{}: {}", frame.origin->name, describe(picture.rows)));
    } catch (const Error& error) {
      frame.error = error.what();
    }
  }
  std::size_t total() const override { return pictures_.size(); }

 private:
  std::vector<SourcePicture> pictures_;
  FrameLimits limits_;
  Deadline deadline_;
  std::size_t at_ = 0;
};

class VideoFrames final : public FrameSource {
 public:
  VideoFrames(std::vector<SourceVideo> videos, const FrameLimits& limits,
              const VideoLibrary& library)
      : videos_(std::move(videos)),
        names_(shown_names(videos_)),
        limits_(limits),
        library_(library),
        deadline_(limits.seconds) {}

  bool next(Frame& frame) override {
    while (reader_ || at_ < videos_.size()) {
      check_stop(limits_.stop);
      try {
        if (!reader_) open();
        if (read(frame)) return true;
        std::string damage = close();
        if (damage.empty()) continue;
        frame = {origin_, number_ + 1, 0, {}, std::move(damage)};
        return true;
      } catch (const Error& error) {
        check_stop(limits_.stop);
        reader_.reset();
        frame = {origin_, number_ + 1, 0, {}, error.what()};
        return true;
      }
    }
    return false;
  }

 private:
  void open() {
    const SourceVideo& one = videos_[at_++];
    auto origin = std::make_shared<FrameOrigin>(
        FrameOrigin{FrameKind::video, names_[at_ - 1], one.relative, at_, videos_.size(), 0, 0});
    origin_ = origin;
    number_ = delivered_ = 0;
    reader_ = library_.open(one.source, one.origin, limits_.video, limits_.stop);
    origin->rate = reader_->rate();
    origin->frames = reader_->frames();
    log::debug(fmt::format("{}: {}", origin->name, reader_->description()));
  }

  /// False at the end of the video, or at one that the user set.
  bool read(Frame& frame) {
    frame = {};
    do {
      if (deadline_.over() || (limits_.frames > 0 && delivered_ == limits_.frames) ||
          !reader_->read(frame.bgr, frame.seconds))
        return false;
    } while (number_++ % static_cast<std::size_t>(limits_.stride) != 0);
    ++delivered_;
    frame.origin = origin_;
    frame.number = number_;
    return true;
  }

  /// What is wrong with the video as a whole, or nothing.
  std::string close() {
    std::string damage = reader_->shortfall();
    if (reader_->damaged() > 0)
      damage += fmt::format("{}{} packet{} could not be decoded, or not whole",
                            damage.empty() ? "" : "; ", reader_->damaged(),
                            reader_->damaged() == 1 ? "" : "s");
    if (!damage.empty()) damage = origin_->name + ": " + damage;
    if (deadline_.over()) {
      log::warning(
          fmt::format("{}: left after frame {}: the time is over; {} more videos are left out",
                      origin_->name, number_, videos_.size() - at_));
      at_ = videos_.size();
    } else if (limits_.frames > 0 && delivered_ == limits_.frames) {
      log::warning(fmt::format("{}: left after {} frames, as asked", origin_->name, delivered_));
    }
    reader_.reset();
    return damage;
  }

  std::vector<SourceVideo> videos_;
  std::vector<std::string> names_;
  FrameLimits limits_;
  const VideoLibrary& library_;
  Deadline deadline_;
  std::unique_ptr<VideoReader> reader_;
  std::shared_ptr<const FrameOrigin> origin_;
  std::size_t at_ = 0, number_ = 0, delivered_ = 0;
};

class RefusedVideos final : public FrameSource {
 public:
  RefusedVideos(std::vector<SourceVideo> videos, std::string why)
      : videos_(std::move(videos)), names_(shown_names(videos_)), why_(std::move(why)) {}
  bool next(Frame& frame) override {
    if (at_ == videos_.size()) return false;
    const SourceVideo& one = videos_[at_++];
    const std::string& name = names_[at_ - 1];
    frame = {};
    frame.origin = std::make_shared<FrameOrigin>(
        FrameOrigin{FrameKind::video, name, one.relative, at_, videos_.size(), 0, 0});
    frame.error = name + ": not looked at: " + why_;
    return true;
  }

 private:
  std::vector<SourceVideo> videos_;
  std::vector<std::string> names_;
  std::string why_;
  std::size_t at_ = 0;
};

class Sequence final : public FrameSource {
 public:
  explicit Sequence(std::vector<std::unique_ptr<FrameSource>> sources)
      : sources_(std::move(sources)) {}
  bool next(Frame& frame) override {
    for (; at_ < sources_.size(); ++at_)
      if (sources_[at_]->next(frame)) return true;
    return false;
  }
  void load(Frame& frame) override {
    for (const auto& source : sources_) source->load(frame);
  }
  std::size_t total() const override {
    std::size_t sum = 0;
    for (const auto& source : sources_) {
      if (source->total() == 0) return 0;
      sum += source->total();
    }
    return sum;
  }

 private:
  std::vector<std::unique_ptr<FrameSource>> sources_;
  std::size_t at_ = 0;
};

}  // namespace

std::unique_ptr<FrameSource> picture_frames(std::vector<SourcePicture> pictures,
                                            const FrameLimits& limits) {
  return std::make_unique<PictureFrames>(std::move(pictures), limits);
}
std::unique_ptr<FrameSource> video_frames(std::vector<SourceVideo> videos,
                                          const FrameLimits& limits, const VideoLibrary& library) {
  return std::make_unique<VideoFrames>(std::move(videos), limits, library);
}
std::unique_ptr<FrameSource> refused_videos(std::vector<SourceVideo> videos, std::string why) {
  return std::make_unique<RefusedVideos>(std::move(videos), std::move(why));
}
std::unique_ptr<FrameSource> one_after_the_other(
    std::vector<std::unique_ptr<FrameSource>> sources) {
  return std::make_unique<Sequence>(std::move(sources));
}

}  // namespace yolov7::runtime
