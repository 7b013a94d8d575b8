#include "dataset/index/cached_facts.hpp"

#include <chrono>
#include <optional>

#include "core/progress.hpp"
#include "core/stop.hpp"
#include "core/threads.hpp"
#include "dataset/index/picture_cache.hpp"
#include "image/codec/truncated.hpp"

namespace yolov7::dataset {
namespace {

std::int64_t now_ns() {
  using namespace std::chrono;
  return duration_cast<nanoseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace

CachedFacts cached_facts(const std::vector<std::filesystem::path>& pictures,
                         const FactsOptions& options) {
  const std::int64_t started = now_ns();
  PictureCache cache(options.folders, options.name, options.root, options.stop);
  CachedFacts result;
  result.facts.resize(pictures.size());
  std::vector<std::size_t> unknown;
  const Examination* examination = options.examination;
  const bool look = examination != nullptr && examination->look;
  if (examination != nullptr && examination->opened) examination->opened(cache.file());
  const auto seen = [&](std::size_t i, const PictureFacts& facts) {
    return !look || (examination->known && examination->known(i, facts));
  };
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const auto stamp = options.recheck ? std::nullopt : file_stamp(pictures[i]);
    const PictureFacts* known = stamp ? cache.find(pictures[i], *stamp) : nullptr;
    // The rule about rows may be another one now.
    if (known != nullptr && enough_rows(known->rows) && seen(i, *known))
      result.facts[i] = *known;
    else
      unknown.push_back(i);
  }
  if (!unknown.empty()) {
    Progress progress(options.what, unknown.size(), "images");
    parallel_for(unknown.size(), threads_or_all(options.threads), [&](std::size_t k) {
      check_stop(options.stop);
      const std::size_t i = unknown[k];
      if (look)
        result.facts[i] = inspect_picture(pictures[i], 10,
                                          [&](std::string_view bytes, const PicturePlanes& planes) {
                                            examination->look(i, bytes, planes);
                                          });
      else
        result.facts[i] = inspect_picture(pictures[i]);
      progress.advance();
    });
    progress.finish();
    cache.save(pictures, result.facts, started);
  }
  result.read = unknown.size();
  result.cache_file = cache.file();
  return result;
}

}  // namespace yolov7::dataset
