#include "cli/terminal.hpp"

namespace yolov7::cli {

const std::shared_ptr<log::TerminalSink>& terminal() {
  static const auto only = std::make_shared<log::TerminalSink>();
  return only;
}

}  // namespace yolov7::cli
