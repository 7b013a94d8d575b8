#include "platforms/credentials.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/text.hpp"

namespace yolov7::platforms {
namespace fs = std::filesystem;
namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

void require_plain(const Credential& one) {
  const bool plain = std::all_of(one.value.begin(), one.value.end(), [](const char c) {
    return static_cast<unsigned char>(c) > 32 && c != 127;
  });
  if (!plain)
    throw Error(fmt::format("{}: expected a key without blanks and control characters", one.from));
}

/// False where there is no file. Errors: others may read it.
bool require_private(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    throw Error(fmt::format("{}: cannot look at it: {}", path.string(), std::strerror(errno)));
  }
  if (!S_ISREG(info.st_mode))
    throw Error(fmt::format("{}: expected a file with keys, found something else", path.string()));
  if (info.st_uid != ::geteuid())
    throw Error(fmt::format("{}: expected a file of this user (number {}), found one of user {}",
                            path.string(), ::geteuid(), info.st_uid));
  if ((info.st_mode & 077) != 0)
    throw Error(fmt::format("{}: expected mode 600, because it holds keys, found {:o} (chmod 600)",
                            path.string(), info.st_mode & 07777));
  return true;
}

Credential from_file(const std::string& service, const std::string& origin) {
  const fs::path path = credentials_file();
  if (path.empty() || !require_private(path)) return {};
  const std::string content = file::read(path, 1 << 20);
  int number = 0;
  Credential found;
  for (const std::string_view line : text::lines(content)) {
    ++number;
    const std::string_view words = text::trim(line.substr(0, line.find('#')));
    if (words.empty()) continue;
    const auto parts = text::split_blank(words);
    const std::string where = fmt::format("{}:{}", path.string(), number);
    if (parts.size() < 2 || parts.size() > 3)
      throw Error(fmt::format("{}: expected SERVICE KEY or SERVICE ADDRESS KEY, found {} words",
                              where, parts.size()));
    if (parts[0] != service || !found.value.empty()) continue;
    if (parts.size() == 3 ? parts[1] != origin : !origin.empty()) continue;
    found = {std::string(parts.back()), where};
  }
  return found;
}

}  // namespace

fs::path credentials_file() {
  if (const std::string given = variable("YOLOV7_CREDENTIALS"); !given.empty()) return given;
  if (const std::string folder = variable("XDG_CONFIG_HOME"); !folder.empty())
    return fs::path(folder) / "yolov7.cpp" / "credentials";
  if (const std::string home = variable("HOME"); !home.empty())
    return fs::path(home) / ".config" / "yolov7.cpp" / "credentials";
  return {};
}

Credential optional_credential(const std::string& service, const std::string& origin,
                               std::initializer_list<const char*> variables) {
  Credential found;
  for (const char* name : variables)
    if (found.value.empty()) found = {variable(name), name};
  if (found.value.empty()) found = from_file(service, origin);
  require_plain(found);
  return found;
}

Credential find_credential(const std::string& service, const std::string& origin,
                           std::initializer_list<const char*> variables) {
  Credential found = optional_credential(service, origin, variables);
  if (!found.value.empty()) return found;
  const std::vector<std::string> names(variables.begin(), variables.end());
  throw Error(
      fmt::format("{}: expected a key in {} or in a line '{}{} KEY' of {} (mode 600), found none",
                  service, text::join(names, " or "), service, origin.empty() ? "" : " " + origin,
                  credentials_file().string()));
}

}  // namespace yolov7::platforms
