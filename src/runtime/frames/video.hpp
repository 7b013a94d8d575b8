#pragma once
// The seam to moving pictures: plain types and OpenCV matrices. libyolov7-video (FFmpeg behind it)
// is loaded only where a source or a result is a video, a camera or a stream.
#include <cstdint>
#include <filesystem>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <stop_token>
#include <string>

#include "image/codec/codec.hpp"

namespace yolov7::runtime {

struct VideoLimits {
  std::uint64_t pixels = 178'956'970;  ///< width × height of a frame
  double open_seconds = 10;            ///< until the first facts about a source are known
  double read_seconds = 10;            ///< until the next frame
};

/// One video file, camera or stream, read from its beginning. Not thread-safe.
class VideoReader {
 public:
  virtual ~VideoReader() = default;
  virtual int width() const = 0;  ///< after rotation
  virtual int height() const = 0;
  virtual double rate() const = 0;  ///< frames a second, as the container says; 0 = unknown
  virtual std::size_t frames()
      const = 0;  ///< 0 = unknown; may be an estimate from duration and rate
  virtual std::string description() const = 0;  ///< "h264, 640 x 480, 25 frames/s"
  /// The next frame, 8-bit B G R, upright; `seconds` since the first one. False at the end. Errors:
  /// broken data that the decoder gives up on, nothing for VideoLimits::read_seconds, cancelled.
  virtual bool read(cv::Mat& bgr, double& seconds) = 0;
  virtual std::size_t damaged()
      const = 0;  ///< packets so far that could not be decoded, or not whole
  /// After the end of a file: "ended after 30 of 60 frames (1.2 of 2.4 s), ..." where the container
  /// promises more than came; empty where all came, or where it promises nothing that can be relied
  /// on.
  virtual std::string shortfall() const = 0;
};

/// A video file that appears under its name when it is finished, also if that is by destruction.
class VideoWriter {
 public:
  virtual ~VideoWriter() = default;
  /// 8-bit, 3 channels, always of the same size; `seconds` since the first frame. A frame whose
  /// time is not after that of the one before it follows it by one period of the rate.
  virtual void write(const cv::Mat& bgr, double seconds) = 0;
  virtual void finish() = 0;
};

/// A window on the user's display. Calls from any thread; drawing happens in one of its own.
class VideoWindow {
 public:
  virtual ~VideoWindow() = default;
  /// 8-bit B G R, reduced to its place: the `cell`-th of `cells` in a grid. Returns at once; only
  /// the latest frame of each is shown.
  virtual void show(const cv::Mat& bgr, std::size_t cell, std::size_t cells) = 0;
  virtual bool closed() const = 0;  ///< by the user: q, Escape, or the window's button
};

enum class VideoOrigin {
  file,     ///< local only: a playlist in it cannot reach the network
  address,  ///< http, https, rtsp, rtmp, udp, tcp: the network only
  camera,   ///< a device such as /dev/video0
  input     ///< standard input
};

struct VideoLibrary {
  /// `stop`: waiting calls of the reader end with an error, too. Errors: no such file or host, no
  /// picture in it, over the limits, cancelled.
  std::unique_ptr<VideoReader> (*open)(const std::string& source, VideoOrigin origin,
                                       const VideoLimits& limits, const std::stop_token& stop);
  /// `codec`: "mpeg4" (tag mp4v) or another encoder of FFmpeg. `rate` in frames a second:
  /// the distance of frames that come regularly.
  std::unique_ptr<VideoWriter> (*create)(const std::filesystem::path& path, cv::Size size,
                                         double rate, const std::string& codec);
  /// Error: no display, or one that cannot be used.
  std::unique_ptr<VideoWindow> (*window)(const std::string& title);
  /// Images whose decoders are FFmpeg's.
  FurtherDecoder images;
};

}  // namespace yolov7::runtime
