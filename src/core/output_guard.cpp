#include "core/output_guard.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include "core/error.hpp"

namespace yolov7 {

namespace fs = std::filesystem;

std::optional<OutputGuard::File> OutputGuard::file_of(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return File{info.st_dev, info.st_ino};
}

/// Folder without links and name: the entry that a rename replaces.
std::string OutputGuard::place(const fs::path& path) const {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  const auto [known, fresh] = real_folders_.try_emplace(folder.string());
  if (fresh) {
    std::error_code error;
    const fs::path real = fs::weakly_canonical(fs::absolute(folder), error);
    known->second = (error ? fs::absolute(folder).lexically_normal() : real).string();
  }
  return (fs::path(known->second) / path.filename()).string();
}

/// Empty where nothing is against it. With mutex_ held.
std::string OutputGuard::complaint(const fs::path& path) const {
  const std::string at = place(path);
  std::string source;
  if (const auto known = places_.find(at); known != places_.end()) source = known->second;
  if (source.empty() && !files_.empty())
    if (const auto file = file_of(path))
      if (const auto known = files_.find(*file); known != files_.end()) source = known->second;
  if (!source.empty())
    return fmt::format(
        "{}: expected another file than {}, found the same; an input is never "
        "replaced",
        path.string(), source);
  if (results_.contains(at))
    return fmt::format("{}: expected a name of its own for each result, found two for this file",
                       path.string());
  return {};
}

void OutputGuard::protect(const fs::path& source, const std::string& what) {
  const auto file = file_of(source);
  if (!file) return;
  const std::lock_guard lock(mutex_);
  files_.emplace(*file, what);
  places_.emplace(place(source), what);
}

void OutputGuard::claim(const fs::path& result) {
  const std::lock_guard lock(mutex_);
  const std::string why = complaint(result);
  if (!why.empty()) throw usage_error(why);
  results_.insert(place(result));
}

void OutputGuard::check(const fs::path& result) const {
  const std::lock_guard lock(mutex_);
  const std::string why = complaint(result);
  if (!why.empty()) throw usage_error(why);
}

bool OutputGuard::allows(const fs::path& result) const {
  const std::lock_guard lock(mutex_);
  return complaint(result).empty();
}

}  // namespace yolov7
