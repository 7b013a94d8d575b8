#pragma once
// Ctrl-C, SIGTERM and SIGHUP (a terminal that was closed). The first asks for a clean end. Only the
// program includes this; scripts/layers.txt says so. Libraries take its token (core/stop.hpp).
#include <stop_token>

namespace yolov7::interrupt {

/// Called once, by the program, before it starts threads. A SIGHUP that is ignored when the program
/// starts (nohup) stays ignored. After a Ctrl-C or SIGTERM, a further one ends the process at once;
/// a quarter of a second must lie between them, because programs such as timeout send one to the
/// process and one to its group. A SIGHUP never ends it: a shell that closes sends several, and
/// systemd sends one after its SIGTERM. SIGPIPE is ignored from then on. Errors: the system has no
/// descriptor or no thread left.
void install();

/// Stopped by the first of these signals, by a thread of its own: a signal handler may not do it.
/// So callbacks of this token run on that thread.
std::stop_token token();

/// Whether one of these signals came. True at the latest when token() is stopped.
bool requested();

}  // namespace yolov7::interrupt
