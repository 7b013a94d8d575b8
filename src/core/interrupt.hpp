#pragma once
// Ctrl-C, SIGTERM and SIGHUP (a terminal that was closed). The first asks for a clean end.
namespace yolov7::interrupt {

/// Called once, by the program. A SIGHUP that is ignored when the program starts (nohup) stays
/// ignored. After a Ctrl-C or SIGTERM, a further one ends the process at once; a quarter of a
/// second must lie between them, because programs such as timeout send one to the process and one
/// to its group. A SIGHUP never ends it: a shell that closes sends several, and systemd sends one
/// after its SIGTERM.
void install();
bool requested();
void request();  ///< as if the user had pressed Ctrl-C; for tests and for libraries
void clear();    ///< for tests
void check();    ///< throws Error(ExitCode::interrupted) if requested

}  // namespace yolov7::interrupt
