#include "cli/verbs/active_candidates.hpp"

#include <map>

#include "core/interrupt.hpp"
#include "dataset/similarity/near_pairs.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;
namespace similarity = dataset::similarity;

/// Groups of images that show the same; those with a labelled image are known.
void find_groups(const Pool& pool, const Labelled& labelled, bool keep_similar,
                 std::vector<active::Candidate>& candidates) {
  const std::size_t count = pool.images.size();
  similarity::Groups groups(count + labelled.paths.size());
  if (!keep_similar) {
    std::vector<similarity::Sketch> sketches;
    for (const PoolImage& image : pool.images) sketches.push_back(*image.sketch);
    sketches.insert(sketches.end(), labelled.sketches.begin(), labelled.sketches.end());
    similarity::NearOptions near;
    near.stop = interrupt::token();
    for (const similarity::NearPair& pair : similarity::find_near_pairs(sketches, near).pairs)
      groups.join(pair.a, pair.b);
  }
  // A file of the labelled set itself, whatever `keep_similar` says.
  std::map<fs::path, std::size_t> by_path;
  for (std::size_t k = 0; k < labelled.paths.size(); ++k) by_path[labelled.paths[k]] = count + k;
  for (std::size_t i = 0; i < count; ++i)
    if (const auto same = by_path.find(fs::weakly_canonical(pool.images[i].path));
        same != by_path.end())
      groups.join(i, same->second);
  std::vector<bool> known(count + labelled.paths.size(), false);
  for (std::size_t k = count; k < known.size(); ++k) known[groups.of(k)] = true;
  for (std::size_t i = 0; i < count; ++i) {
    candidates[i].group = groups.of(i);
    candidates[i].known = known[groups.of(i)];
  }
}

}  // namespace

std::vector<active::Candidate> candidates_of(const Pool& pool, const Labelled& labelled,
                                             std::size_t class_count, bool keep_similar) {
  std::vector<active::Candidate> candidates(pool.images.size());
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const PoolImage& image = pool.images[i];
    candidates[i].scores = active::score_image(image.detections, class_count);
    if (pool.mirrored)
      candidates[i].scores.disagreement =
          active::disagreement(image.detections, image.mirrored, image.width);
    candidates[i].feature = active::feature_of(image.detections, image.width, image.height,
                                               image.sketch->directions.front());
  }
  find_groups(pool, labelled, keep_similar, candidates);
  return candidates;
}

}  // namespace yolov7::cli
