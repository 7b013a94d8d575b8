#include "dataset/index/picture_cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <system_error>

#include "core/error.hpp"
#include "core/escaped_field.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view magic = "yolov7.cpp picture index, format 2, hash ";
constexpr std::size_t fields = 9;  // bytes, time, width, height, orientation, rows (2), hash, key

template <class T>
bool number(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

bool parse_record(std::string_view line, FactsByKey& known) {
  const auto parts = text::split(line, '\t');
  PictureFacts facts;
  if (parts.size() != fields || !number(parts[0], facts.stamp.size_bytes) ||
      !number(parts[1], facts.stamp.modified_ns) || !number(parts[2], facts.width) ||
      !number(parts[3], facts.height) || !number(parts[4], facts.orientation) ||
      !number(parts[5], facts.rows.decoded) || !number(parts[6], facts.rows.expected))
    return false;
  facts.content_hash = parts[7];
  return known.emplace(text::unescaped_field(parts[8]), std::move(facts)).second;
}

std::string cache_key_of_folder(const fs::path& folder) {
  return file::content_hash(folder.string()).substr(0, 16);
}

std::optional<file::Lock> take_lock(const fs::path& file, const std::stop_token& stop) {
  const fs::path path = file.parent_path() / ("." + file.filename().string() + ".lock");
  try {
    if (auto lock = file::Lock::try_acquire(path)) return lock;
    log::info(fmt::format("waiting: another process works on {}", file.string()));
    return file::Lock::acquire(path, stop);
  } catch (const Error& error) {
    if (error.code() == ExitCode::interrupted) throw;
    log::warning(fmt::format("{}; going on without the lock", error.what()));
    return std::nullopt;
  }
}

}  // namespace

std::string format_facts(const FactsByKey& facts) {
  std::vector<const FactsByKey::value_type*> sorted;
  for (const auto& entry : facts) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  std::string body;
  for (const auto* entry : sorted) {
    const PictureFacts& f = entry->second;
    body += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n", f.stamp.size_bytes,
                        f.stamp.modified_ns, f.width, f.height, f.orientation, f.rows.decoded,
                        f.rows.expected, f.content_hash, text::escaped_field(entry->first));
  }
  return fmt::format("{}{}\n{}", magic, file::content_hash(body), body);
}

std::optional<FactsByKey> parse_facts(std::string_view text, std::string& fault) {
  const auto header_end = text.find('\n');
  if (!text.starts_with(magic) || header_end == std::string_view::npos) {
    fault = "is not an image index of this format";
    return std::nullopt;
  }
  std::string_view body = text.substr(header_end + 1);
  if (text.substr(magic.size(), header_end - magic.size()) != file::content_hash(body)) {
    fault = "was cut or changed";
    return std::nullopt;
  }
  FactsByKey known;
  while (!body.empty()) {
    const auto end = std::min(body.find('\n'), body.size());
    if (!parse_record(body.substr(0, end), known)) {
      fault = "has a malformed record";
      return std::nullopt;
    }
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return known;
}

PictureCache::PictureCache(const std::vector<fs::path>& folders, const std::string& name,
                           const fs::path& root, const std::stop_token& stop)
    : root_(fs::absolute(root).lexically_normal().string()) {
  if (root_.ends_with('/') && root_.size() > 1) root_.pop_back();
  for (std::size_t i = 0; i < folders.size() && file_.empty(); ++i) {
    std::error_code ignored;
    if (i + 1 == folders.size())
      fs::create_directories(folders[i], ignored);  // the user's own folder
    if (file::writable_folder(folders[i])) file_ = folders[i] / (name + ".yolov7-index");
  }
  if (file_.empty()) {
    log::warning(fmt::format(
        "no folder can be written for the image cache (tried {}); every start reads all images",
        folders.empty() ? "none" : folders.back().string()));
    return;
  }
  lock_ = take_lock(file_, stop);
  load();
}

void PictureCache::load() {
  std::error_code error;
  if (!fs::exists(file_, error)) return;
  std::string fault;
  try {
    constexpr std::uint64_t most_bytes = 4ull << 30;
    if (auto known = parse_facts(file::read(file_, most_bytes), fault)) known_ = std::move(*known);
  } catch (const Error& failure) {
    fault = failure.what();
  }
  if (!fault.empty())
    log::warning(fmt::format("{}: the image cache {}; it is built again", file_.string(), fault));
}

std::string PictureCache::key(const fs::path& picture) const {
  std::string path =
      (picture.is_absolute() ? picture : fs::absolute(picture)).lexically_normal().string();
  if (path.size() > root_.size() + 1 && path.starts_with(root_) && path[root_.size()] == '/')
    path.erase(0, root_.size() + 1);
  return path;
}

const PictureFacts* PictureCache::find(const fs::path& picture, const FileStamp& stamp) const {
  const auto found = known_.find(key(picture));
  return found != known_.end() && found->second.stamp == stamp ? &found->second : nullptr;
}

void PictureCache::save(const std::vector<fs::path>& pictures,
                        const std::vector<PictureFacts>& facts, std::int64_t started_ns) {
  if (file_.empty()) return;
  constexpr std::int64_t settled_ns = 2'000'000'000;
  FactsByKey fresh;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    if (facts[i].fault.empty() && facts[i].stamp.modified_ns <= started_ns - settled_ns)
      fresh.emplace(key(pictures[i]), facts[i]);
  }
  try {
    file::write_atomically(file_, format_facts(fresh));
  } catch (const Error& error) {
    log::warning(fmt::format("{}; going on without an image cache", error.what()));
    file_.clear();
  }
  known_ = std::move(fresh);
}

std::vector<fs::path> cache_folders(const fs::path& label) {
  const fs::path folder = fs::absolute(label).lexically_normal().parent_path();
  const bool in_labels =
      std::find(folder.begin(), folder.end(), fs::path("labels")) != folder.end();
  const fs::path beside = in_labels ? folder.parent_path() : folder;
  return {beside, file::user_cache_folder() / cache_key_of_folder(beside)};
}

}  // namespace yolov7::dataset
