#pragma once
// Our own cache of picture facts (data 5, F06). Labels are never in it: they are read at every
// start. Files of other programs are never opened: the name ends in .yolov7-index, not in .cache.
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/file.hpp"
#include "dataset/index/picture_facts.hpp"

namespace yolov7::dataset {

using FactsByKey = std::unordered_map<std::string, PictureFacts>;

/// One line per picture below a header with format number and content hash.
std::string format_facts(const FactsByKey& facts);
/// Nothing if the text is not of this format, was cut or changed; `fault` then says why.
std::optional<FactsByKey> parse_facts(std::string_view text, std::string& fault);

class PictureCache {
 public:
  /// Takes the lock (waits for another process that builds the same cache), then loads. `folders`:
  /// candidates in order; the first that can be written holds `name`.yolov7-index. Where none can,
  /// there is no cache, and that is said. `root`: keys are relative to it, so that a moved data set
  /// keeps its cache. Error: stopped_error() while it waits.
  PictureCache(const std::vector<std::filesystem::path>& folders, const std::string& name,
               const std::filesystem::path& root, const std::stop_token& stop = {});

  /// Facts of a picture whose size and time are those of the cache; nullptr otherwise.
  const PictureFacts* find(const std::filesystem::path& picture, const FileStamp& stamp) const;
  /// Replaces the content. Left out are unusable pictures (read again every time: the reason may
  /// have been the machine's) and those changed less than two seconds before `started_ns` (a
  /// further change might not show in their time). A cache that cannot be written is a warning, not
  /// an Error.
  void save(const std::vector<std::filesystem::path>& pictures,
            const std::vector<PictureFacts>& facts, std::int64_t started_ns);
  const std::filesystem::path& file() const { return file_; }

 private:
  std::string key(const std::filesystem::path& picture) const;
  void load();
  std::filesystem::path file_;
  std::string root_;
  std::optional<file::Lock> lock_;
  FactsByKey known_;
};

/// Where the cache of a split goes: beside its labels (`label` is any of them), then the user's
/// cache folder.
std::vector<std::filesystem::path> cache_folders(const std::filesystem::path& label);

}  // namespace yolov7::dataset
