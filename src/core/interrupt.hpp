#pragma once
// Ctrl-C and SIGTERM. The first asks for a clean end, the second ends the process at once.
namespace yolov7::interrupt {

void install();  ///< called once, by the program
bool requested();
void request();  ///< as if the user had pressed Ctrl-C; for tests and for libraries
void clear();    ///< for tests
void check();    ///< throws Error(ExitCode::interrupted) if requested

}  // namespace yolov7::interrupt
