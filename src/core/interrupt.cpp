#include "core/interrupt.hpp"

#include <csignal>

#include "core/error.hpp"

namespace yolov7::interrupt {
namespace {

volatile std::sig_atomic_t flag = 0;

void handle(int signal) {
  if (flag != 0) {  // the second one: the default action, at once
    std::signal(signal, SIG_DFL);
    std::raise(signal);
  }
  flag = 1;
}

}  // namespace

void install() {
  std::signal(SIGINT, handle);
  std::signal(SIGTERM, handle);
  std::signal(SIGPIPE, SIG_IGN);
}
bool requested() { return flag != 0; }
void request() { flag = 1; }
void clear() { flag = 0; }
void check() {
  if (requested()) throw Error("interrupted", ExitCode::interrupted);
}

}  // namespace yolov7::interrupt
