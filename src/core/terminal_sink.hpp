#pragma once
// Messages on a terminal, or a file that stands for it: what the program installs (core/log.hpp).
// Only the program includes this; scripts/layers.txt says so.
#include <atomic>
#include <cstdio>
#include <mutex>
#include <string>

#include "core/log.hpp"

namespace yolov7::log {

/// "warning:" and "error:" are coloured on a terminal, unless NO_COLOR is set and not empty
/// (no-color.org), or TERM says that it is a dumb one.
class TerminalSink final : public Sink {
 public:
  /// `stream` outlives this object and is unbuffered, as stderr is, or flushed by its owner.
  explicit TerminalSink(std::FILE* stream = stderr);

  /// The lowest level that is shown; info at first.
  void set_level(Level level) { level_ = level; }
  /// Stands in front of every message, for programs of several processes: "rank 1: ". "" = nothing.
  void set_speaker(std::string prefix);

  bool wants(Level level) const override { return level >= level_.load(); }
  void write(Level level, std::string_view text) override;
  /// The stream is a terminal, and information is shown.
  bool shows_live() const override;
  /// Cut to the terminal's width, for what wraps cannot be rewritten.
  void live(std::string_view line) override;
  void end_live() override;

 private:
  std::string fitting(std::string line) const;

  std::string coloured(Level level, std::string text) const;

  std::FILE* const stream_;
  const bool colours_;
  std::atomic<Level> level_{Level::info};
  std::mutex mutex_;
  std::string speaker_, live_line_;  // guarded by mutex_
};

}  // namespace yolov7::log
