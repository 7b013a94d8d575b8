#pragma once
// Progress of long work, through the log: done/total, rate, time left. Where its sink shows a live
// line, one that is rewritten; otherwise one line every ten seconds. Silent where nobody wants
// info.
#include <chrono>
#include <cstddef>
#include <mutex>
#include <string>

namespace yolov7 {

class Progress {
 public:
  /// `total` 0: unknown.
  Progress(std::string label, std::size_t total, std::string unit = "it");
  ~Progress();  ///< ends the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// May be called from several threads. `note` follows the figures (losses, say).
  void advance(std::size_t steps = 1, const std::string& note = {});
  /// Ends the display with a last full line; later calls do nothing.
  void finish();

 private:
  void show(bool last);
  std::string label_, unit_, note_;
  std::size_t total_, done_ = 0;
  bool terminal_, finished_ = false;
  std::chrono::steady_clock::time_point start_, shown_;
  std::mutex mutex_;
};

/// "1:02:03" or "02:03".
std::string clock_text(double seconds);

}  // namespace yolov7
