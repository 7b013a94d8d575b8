#include "versions/file_cache.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string_view>
#include <system_error>
#include <type_traits>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/log.hpp"

namespace yolov7::versions {
namespace {

constexpr std::string_view magic = "yolov7.cpp files of a data set, format 1, ";

template <class T>
void append(std::string& out, const T& value) {
  static_assert(std::is_trivially_copyable_v<T>);
  char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  out.append(bytes, sizeof value);
}

/// Takes values from the front; false at the end.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}
  template <class T>
  bool take(T& value) {
    if (text_.size() < sizeof value) return false;
    std::memcpy(&value, text_.data(), sizeof value);
    text_.remove_prefix(sizeof value);
    return true;
  }
  bool take(std::string& value, std::size_t count) {
    if (text_.size() < count) return false;
    value = text_.substr(0, count);
    text_.remove_prefix(count);
    return true;
  }
  bool empty() const { return text_.empty(); }

 private:
  std::string_view text_;
};

bool take_record(Reader& from, FileRecord& record) {
  std::uint32_t length = 0;
  return from.take(length) && from.take(record.path, length) && from.take(record.image_stamp) &&
         from.take(record.image) && from.take(record.label_stamp) && from.take(record.label) &&
         from.take(record.rows) && from.take(record.odd);
}

void append_record(std::string& out, const FileRecord& record) {
  append(out, static_cast<std::uint32_t>(record.path.size()));
  out += record.path;
  append(out, record.image_stamp);
  append(out, record.image);
  append(out, record.label_stamp);
  append(out, record.label);
  append(out, record.rows);
  append(out, record.odd);
}

std::string head_of(std::uint64_t generation, std::string_view body) {
  return fmt::format("{}generation {}, hash {}\n", magic, generation, file::content_hash(body));
}

}  // namespace

std::int64_t now_ns() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count();
}

FileCache::FileCache(std::filesystem::path file, std::uint64_t generation)
    : file_(std::move(file)), generation_(generation) {
  std::error_code error;
  if (!std::filesystem::exists(file_, error)) return;
  std::string content;
  try {
    constexpr std::uint64_t most_bytes = 4ull << 30;
    content = file::read(file_, most_bytes);
  } catch (const Error&) {
    return;
  }
  const auto end = content.find('\n');
  if (end == std::string::npos) return;
  const std::string_view body = std::string_view(content).substr(end + 1);
  if (std::string_view(content).substr(0, end + 1) != head_of(generation, body)) return;
  Reader reader(body);
  while (!reader.empty()) {
    FileRecord record;
    if (!take_record(reader, record)) {
      records_.clear();
      return;
    }
    records_.push_back(std::move(record));
  }
}

const FileRecord* FileCache::find(const std::string& path) const {
  const auto place = std::lower_bound(
      records_.begin(), records_.end(), path,
      [](const FileRecord& record, const std::string& wanted) { return record.path < wanted; });
  return place != records_.end() && place->path == path ? &*place : nullptr;
}

void FileCache::save(const std::vector<FileRecord>& records, std::int64_t started_ns) const {
  constexpr std::int64_t settled_ns = 2'000'000'000;
  const auto settled = [&](const Stamp& stamp) {
    return stamp.modified_ns <= started_ns - settled_ns;
  };
  std::string body;
  for (const FileRecord& record : records)
    if (settled(record.image_stamp) && settled(record.label_stamp)) append_record(body, record);
  try {
    file::make_folder(file_.parent_path());
    file::write_atomically(file_, head_of(generation_, body) + body, file::Sync::later);
  } catch (const Error& error) {
    log::warning(fmt::format("{}; files are read again the next time", error.what()));
  }
}

}  // namespace yolov7::versions
