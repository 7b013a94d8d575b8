#include "core/progress.hpp"

#include <fmt/format.h>

#include "core/log.hpp"

namespace yolov7 {

std::string clock_text(double seconds) {
  const long total = seconds > 0 ? static_cast<long>(seconds + 0.5) : 0;
  const long h = total / 3600, m = total / 60 % 60, s = total % 60;
  return h > 0 ? fmt::format("{}:{:02}:{:02}", h, m, s) : fmt::format("{:02}:{:02}", m, s);
}

Progress::Progress(std::string label, std::size_t total, std::string unit)
    : label_(std::move(label)),
      unit_(std::move(unit)),
      total_(total),
      terminal_(log::shows_live()),
      start_(std::chrono::steady_clock::now()),
      shown_(start_) {
  if (!log::wants(log::Level::info)) finished_ = true;
}

Progress::~Progress() { finish(); }

void Progress::advance(std::size_t steps, const std::string& note) {
  std::lock_guard lock(mutex_);
  done_ += steps;
  if (!note.empty()) note_ = note;
  const auto now = std::chrono::steady_clock::now();
  if (now - shown_ <
      (terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(10'000)))
    return;
  shown_ = now;
  show(false);
}

void Progress::finish() {
  std::lock_guard lock(mutex_);
  if (finished_) return;
  // A short piece of work on a file or pipe leaves one line, and only if it took long enough to be
  // of interest.
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  if (terminal_ || seconds > 2) show(true);
  finished_ = true;
}

void Progress::show(bool last) {
  if (finished_) return;
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  const double rate = seconds > 0 ? static_cast<double>(done_) / seconds : 0;
  const std::string of_total =
      total_ > 0 ? fmt::format("/{} ({:.0f}%)", total_,
                               100.0 * static_cast<double>(done_) / static_cast<double>(total_))
                 : "";
  std::string line = fmt::format("{}: {}{} {:.1f} {}/s, {} elapsed", label_, done_, of_total, rate,
                                 unit_, clock_text(seconds));
  if (!last && rate > 0 && done_ < total_)
    line += fmt::format(", {} left", clock_text(static_cast<double>(total_ - done_) / rate));
  if (!note_.empty()) line += "  " + note_;
  if (terminal_ && !last) return log::live(line);
  log::end_live();
  log::info(line);
}

}  // namespace yolov7
