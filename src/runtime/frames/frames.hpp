#pragma once
// Pictures, videos and streams as one sequence of frames.
#include <cstddef>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "image/codec/codec.hpp"
#include "runtime/frames/sources.hpp"

namespace yolov7::runtime {

enum class FrameKind { picture, video, stream };

/// One of the things that the user named.
struct FrameOrigin {
  FrameKind kind = FrameKind::picture;
  std::string name;                ///< path or address, without credentials
  std::filesystem::path relative;  ///< where results go
  std::size_t number = 0, of = 0;  ///< 1 … of, among those of its kind; streams count from 0
  double rate = 0;                 ///< frames a second; 0 = unknown, or a picture
  std::size_t frames = 0;          ///< of a video; 0 = unknown
};

struct Frame {
  std::shared_ptr<const FrameOrigin> origin;
  std::size_t number =
      0;               ///< in its video from 1; in a stream the count of frames looked at, from 0
  double seconds = 0;  ///< since the first frame
  cv::Mat bgr;         ///< 8 bit, 3 channels; of a picture only after FrameSource::load()
  std::string error;   ///< not empty: why there is none
  DecodedRows rows = {};    ///< of an image whose file lacks its end
  std::size_t further = 0;  ///< images of the same file that are not looked at
};

class FrameSource {
 public:
  virtual ~FrameSource() = default;
  /// The next frame; one caller at a time. False at the end. Waits where a stream has nothing new.
  /// Errors: stopped_error().
  virtual bool next(Frame& frame) = 0;
  /// Reads what next() left for later; callers with different frames may do it at the same time.
  /// Never throws for a picture that cannot be read: that is `error`.
  virtual void load(Frame& frame) { (void)frame; }
  /// Of those known beforehand; 0 = unknown.
  virtual std::size_t total() const { return 0; }
};

struct FrameLimits {
  DecodeLimits picture;
  VideoLimits video;
  std::size_t frames = 0;  ///< of each video or stream; 0 = no limit
  double seconds = 0;      ///< of the whole run; 0 = no limit
  int stride = 1;          ///< every n-th frame of a video
  std::stop_token stop = {};
};

std::unique_ptr<FrameSource> picture_frames(std::vector<SourcePicture> pictures,
                                            const FrameLimits& limits);
/// One after the other. What a reader reports in the middle is one frame with `error`, and the end
/// of that video; so is, behind the last frame, that packets could not be decoded or that the file
/// ended early.
std::unique_ptr<FrameSource> video_frames(std::vector<SourceVideo> videos,
                                          const FrameLimits& limits, const VideoLibrary& library);
/// For each of the videos one frame with `error`.
std::unique_ptr<FrameSource> refused_videos(std::vector<SourceVideo> videos, std::string why);
std::unique_ptr<FrameSource> one_after_the_other(std::vector<std::unique_ptr<FrameSource>> sources);

}  // namespace yolov7::runtime
