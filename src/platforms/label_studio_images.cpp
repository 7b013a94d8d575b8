#include "platforms/label_studio_images.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/http_download.hpp"
#include "core/text.hpp"
#include "dataset/formats/image_finder.hpp"
#include "dataset/formats/source_tree.hpp"
#include "image/codec/file_kind.hpp"

namespace yolov7::platforms {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t most_bytes = std::uint64_t{1} << 30;

/// "/data/upload/1/1a2b3c4d-a.png" → "a.png", for tasks that others made.
std::string plain_name(const std::string& written) {
  std::string path = written;
  if (const auto at = path.find("?d="); at != std::string::npos) path = path.substr(at + 3);
  const std::string name =
      text::file_name(fs::path(dataset::percent_decoded(path)).filename().string());
  return name.empty() || name == "." || name == ".." ? "image" : name;
}

bool has_hash(const fs::path& file, const std::string& hash) {
  std::error_code error;
  if (!fs::is_regular_file(file, error)) return false;
  return hash.empty() || file::content_hash(file::read(file, most_bytes)) == hash;
}

}  // namespace

TaskImages::TaskImages(LabelStudio& server, const fs::path& folder, const fs::path& work)
    : server_(server), work_(work) {
  if (folder.empty()) return;
  for (const dataset::TreeImage& image :
       dataset::walk_source(folder, {}, "a folder with images", server.service().stop()).images)
    by_name_.emplace(image.file.filename().string(), image.file);
}

bool TaskImages::take_from_folder(const std::string& hash, const std::string& name,
                                  const fs::path& target) {
  const auto [first, last] = by_name_.equal_range(name);
  for (auto at = first; at != last; ++at) {
    // Without a hash a name alone must be the only one.
    if (hash.empty() ? by_name_.count(name) != 1 : !has_hash(at->second, hash)) continue;
    std::error_code error;
    fs::create_hard_link(fs::canonical(at->second), target, error);
    if (error) fs::copy_file(at->second, target, fs::copy_options::overwrite_existing);
    return true;
  }
  return false;
}

std::string TaskImages::fetch(const std::string& written, const std::string& hash,
                              const fs::path& target) {
  http::Client& client = server_.service().client();
  std::string path = written;
  if (path.starts_with(client.address().text() + "/"))
    path = path.substr(client.address().text().size());
  if (!path.starts_with("/data/"))
    return fmt::format(
        "its image lies at '{}', which is not fetched; --images names a folder that "
        "has it",
        text::printable(written));
  // Another file beside the tasks could be read as further tasks.
  if (!is_picture_name(target))
    return fmt::format("'{}' is no name of an image", text::printable(written));
  http::Request request;
  const std::size_t query = path.find("?d=");
  // The server writes names of files that people uploaded with escapes, those of a push without.
  request.path = http::escaped(dataset::percent_decoded(path.substr(0, query)), true);
  if (query != std::string::npos)
    request.query = {{"d", dataset::percent_decoded(path.substr(query + 3))}};
  http::DownloadOptions options;
  options.most_bytes = most_bytes;
  options.tries = server_.service().tries();
  try {
    http::download(client, request, target, options, server_.service().stop());
  } catch (const Error& error) {
    if (error.code() == ExitCode::interrupted) throw;
    return error.what();
  }
  if (has_hash(target, hash)) return "";
  fs::remove(target);
  return "the server has another image than the one that was pushed";
}

std::string TaskImages::get(std::int64_t task, const std::string& written, const std::string& name,
                            const std::string& key, std::string& fault) {
  const std::string file = name.empty() ? plain_name(written) : text::file_name(name),
                    hash = key.substr(0, key.find('-')),
                    relative = fmt::format("images/{}/{}", task, file);
  const fs::path target = work_ / relative;
  file::make_folder(target.parent_path());
  if (has_hash(target, hash)) return relative;  // of an earlier call
  std::error_code error;
  fs::remove(target, error);
  if (take_from_folder(hash, file, target)) {
    ++here_;
    return relative;
  }
  fault = fetch(written, hash, target);
  if (fault.empty()) ++fetched_;
  return relative;
}

}  // namespace yolov7::platforms
