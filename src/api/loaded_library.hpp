#pragma once
// Parts of the program that are loaded when a verb needs them, so that the others start without
// what those pull in.
#include <string>

namespace yolov7::api {

/// The entry of a library beside the program (its run path: lib/ of a build folder, or of an
/// installation); never unloaded. Error: it cannot be loaded, with `needed_for` ("this needs the
/// training library") and `remedy`.
void* library_entry(const char* library, const char* entry, const std::string& needed_for,
                    const std::string& remedy);

}  // namespace yolov7::api
