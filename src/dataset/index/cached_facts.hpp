#pragma once
// Facts of many pictures: from the cache where size and time of a file agree, else by reading it.
#include <cstddef>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/index/examination.hpp"
#include "dataset/index/picture_facts.hpp"

namespace yolov7::dataset {

struct FactsOptions {
  std::vector<std::filesystem::path> folders;  ///< for the cache, as PictureCache takes them
  std::string name;                            ///< of the cache
  std::filesystem::path root;                  ///< its keys are relative to it
  std::string what;                            ///< for the progress: "reading train"
  bool recheck = false;                        ///< read every picture again
  int threads = 0;                             ///< 0 = usable cores
  std::stop_token stop = {};
  const Examination* examination = nullptr;  ///< its opened(), known(), look() are called
};

struct CachedFacts {
  std::vector<PictureFacts> facts;  ///< one per picture
  std::size_t read = 0;             ///< decoded by this call; the cache vouched for the others
  std::filesystem::path cache_file;
};

/// Error: stopped_error(); the cache is then as before.
CachedFacts cached_facts(const std::vector<std::filesystem::path>& pictures,
                         const FactsOptions& options);

}  // namespace yolov7::dataset
