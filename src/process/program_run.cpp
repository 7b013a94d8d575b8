#include "process/program_run.hpp"

#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <thread>
#include <utility>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"

namespace yolov7::process {

namespace fs = std::filesystem;

ProgramEnd run_program(const ChildStart& start, const std::string& what,
                       const std::stop_token& stop) {
  check_stop(stop);
  const auto begin = std::chrono::steady_clock::now();
  ChildProcess child = ChildProcess::start(start, what);
  bool told = false;
  for (auto shown = begin; child.running();
       std::this_thread::sleep_for(std::chrono::milliseconds(20))) {
    if (stop.stop_requested() && !std::exchange(told, true)) child.send(SIGTERM);
    const auto now = std::chrono::steady_clock::now();
    if (!log::shows_live() || now - shown < std::chrono::seconds(2)) continue;
    shown = now;
    log::live(fmt::format("{}: {}", what, last_line(start.errors)));
  }
  log::end_live();
  if (told || child.exit_code() == static_cast<int>(ExitCode::interrupted)) throw stopped_error();
  ProgramEnd end;
  end.code = child.exit_code();
  end.end = child.end_text();
  end.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  end.last_line = last_line(start.errors);
  constexpr std::string_view prefix = "error: ";
  if (end.last_line.starts_with(prefix)) end.last_line.erase(0, prefix.size());
  return end;
}

std::string last_line(const fs::path& log_file) {
  std::string found = "nothing was said";
  const std::string content = fs::exists(log_file) ? file::read(log_file) : std::string();
  for (const auto line : text::lines(content))
    if (!text::trim(line).empty()) found = line;
  return found;
}

void wait_for_earlier(const fs::path& folder, const std::string& what,
                      const std::stop_token& stop) {
  const fs::path lock = folder / ".lock";
  try {
    if (!fs::exists(lock) || file::Lock::try_acquire(lock)) return;
    log::info(fmt::format("waiting for the end of {}, which an earlier call began", what));
    file::Lock::acquire(lock, stop);
  } catch (const Error& error) {
    // A training that is stopped before its first checkpoint removes its folder at its end.
    if (error.code() == ExitCode::interrupted || fs::exists(folder)) throw;
  }
}

}  // namespace yolov7::process
