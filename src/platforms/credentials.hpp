#pragma once
// Keys of servers: from the environment, or from one file that its owner alone can read. They never
// come from the command line, and no message shows one.
#include <filesystem>
#include <initializer_list>
#include <string>

namespace yolov7::platforms {

struct Credential {
  std::string value;
  std::string from;  ///< "ROBOFLOW_API_KEY", or the file and line; for messages
};

/// $YOLOV7_CREDENTIALS, else yolov7.cpp/credentials below $XDG_CONFIG_HOME or $HOME/.config.
std::filesystem::path credentials_file();

/// The first of these variables that is set and not empty; else the file's line for the service,
/// "SERVICE KEY" or "SERVICE ORIGIN KEY" (`origin`: "https://host:8080", "" for services that have
/// one address). "#" begins a comment. Errors: none at all (`variables` and the file are named);
/// a file that others can read or write (mode 600 is expected), of another owner, or no file; a
/// malformed line, which is named by its number and not shown; a key with blanks or control
/// characters.
Credential find_credential(const std::string& service, const std::string& origin,
                           std::initializer_list<const char*> variables);
/// The same; without one, an empty value instead of an error.
Credential optional_credential(const std::string& service, const std::string& origin,
                               std::initializer_list<const char*> variables);

}  // namespace yolov7::platforms
