#include "dataset/index/unlabelled.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/setting_name.hpp"
#include "dataset/index/cached_facts.hpp"
#include "dataset/index/pictures.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

CachedFacts look_at(const std::vector<fs::path>& pictures, const fs::path& root, bool recheck,
                    const std::stop_token& stop) {
  FactsOptions options;
  options.root = root;
  options.folders = {file::user_cache_folder() / file::content_hash(root.string()).substr(0, 16)};
  options.name = "unlabelled";
  options.what = "reading images without labels";
  options.recheck = recheck;
  options.stop = stop;
  return cached_facts(pictures, options);
}

}  // namespace

Index read_unlabelled(const std::string& path, const std::vector<std::string>& names, bool recheck,
                      const std::stop_token& stop) {
  const fs::path place = fs::absolute(path).lexically_normal();
  const std::vector<fs::path> pictures = collect_pictures({place});
  std::error_code error;
  const CachedFacts found = look_at(
      pictures, fs::is_directory(place, error) ? place : place.parent_path(), recheck, stop);
  Index index;
  index.split = "unlabelled";
  index.names = names;
  index.pictures_read = found.read;
  index.cache_file = found.cache_file;
  std::string all;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const PictureFacts& facts = found.facts[i];
    if (!facts.fault.empty()) {
      ++index.corrupt;
      index.problems.push_back({pictures[i], 0, facts.fault});
      continue;
    }
    index.entries.push_back(
        {pictures[i], facts.width, facts.height, {}, false, facts.content_hash});
    all += facts.content_hash;
  }
  if (index.entries.empty())
    throw Error(fmt::format(
        "{} {}: expected images that can be read, found none of {}; the first: {}",
        setting_name("unlabelled"), path, pictures.size(), text_of(index.problems.front())));
  index.identity = file::content_hash(all);
  return index;
}

}  // namespace yolov7::dataset
