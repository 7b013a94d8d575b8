#pragma once
// Where this program says what is no result: stderr, with a live line on a terminal.
#include <memory>

#include "core/terminal_sink.hpp"

namespace yolov7::cli {

/// The sink that main() installs. Verbs set its level and its speaker.
const std::shared_ptr<log::TerminalSink>& terminal();

}  // namespace yolov7::cli
