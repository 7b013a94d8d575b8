#include "dataset/paste/paste_plan.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/random.hpp"

namespace yolov7::dataset {
namespace {

/// Numbers of random streams. Never change them: the same seed would draw other sets.
constexpr std::uint32_t background_stream = 1, source_stream = 2, count_stream = 3;

enum class Fitness { whole, too_small, at_border, overlapped };

Fitness fitness(const Entry& entry, std::size_t label) {
  constexpr double least_side = 8, border = 1, most_covered = 0.15;
  const Xyxy box = to_pixels(entry.labels[label].box, entry.width, entry.height);
  if (box.width() < least_side || box.height() < least_side) return Fitness::too_small;
  if (box.x1 < border || box.y1 < border || box.x2 > entry.width - border ||
      box.y2 > entry.height - border)
    return Fitness::at_border;
  for (std::size_t k = 0; k < entry.labels.size(); ++k)
    if (k != label && intersection_area(box, to_pixels(entry.labels[k].box, entry.width,
                                                       entry.height)) > most_covered * box.area())
      return Fitness::overlapped;
  return Fitness::whole;
}

std::size_t median_of(std::vector<std::size_t> counts) {
  std::sort(counts.begin(), counts.end());
  return counts[counts.size() / 2];
}

}  // namespace

std::vector<ClassSources> find_sources(const GatheredSet& set) {
  std::vector<ClassSources> all(set.names.size());
  std::vector<std::vector<ObjectSource>> second(set.names.size());
  for (std::size_t i = 0; i < set.images.size(); ++i) {
    if (set.images[i].split != "train") continue;
    const Entry& entry = set.images[i].entry;
    for (std::size_t k = 0; k < entry.labels.size(); ++k) {
      const auto c = static_cast<std::size_t>(entry.labels[k].class_index);
      switch (fitness(entry, k)) {
        case Fitness::whole: all[c].sources.push_back({i, k}); break;
        case Fitness::too_small: ++all[c].too_small; break;
        case Fitness::at_border:
          ++all[c].at_border;
          second[c].push_back({i, k});
          break;
        case Fitness::overlapped:
          ++all[c].overlapped;
          second[c].push_back({i, k});
          break;
      }
    }
  }
  for (std::size_t c = 0; c < all.size(); ++c)
    if (all[c].sources.empty() && !second[c].empty()) {
      all[c].sources = std::move(second[c]);
      all[c].second_choice = true;
    }
  return all;
}

PastePlan plan_pastes(const GatheredSet& set, std::span<const ClassSources> sources,
                      const PastePlanOptions& options) {
  PastePlan plan;
  std::vector<std::size_t> train;
  plan.before.assign(set.names.size(), 0);
  for (std::size_t i = 0; i < set.images.size(); ++i) {
    if (set.images[i].split != "train") continue;
    train.push_back(i);
    for (const Label& label : set.images[i].entry.labels)
      ++plan.before[static_cast<std::size_t>(label.class_index)];
  }
  if (train.empty() || *std::max_element(plan.before.begin(), plan.before.end()) == 0)
    throw Error("dataset synth: expected training images with objects to cut out, found none");
  plan.target = options.balance > 0 ? options.balance : median_of(plan.before);
  plan.wanted = plan.planned = std::vector<std::size_t>(set.names.size(), 0);
  std::vector<std::vector<std::size_t>> orders;
  std::vector<std::size_t> have = plan.before;
  for (std::size_t c = 0; c < set.names.size(); ++c) {
    if (plan.before[c] < plan.target) plan.wanted[c] = plan.target - plan.before[c];
    orders.push_back(Random(options.seed, static_cast<std::uint32_t>(c), 0, source_stream)
                         .permutation(sources[c].sources.size()));
  }
  const auto most = static_cast<std::size_t>(
      std::floor(options.share / (1 - options.share) * static_cast<double>(train.size()) + 1e-9));
  const auto backgrounds = Random(options.seed, 0, 0, background_stream).permutation(train.size());
  const auto next_class = [&] {
    std::size_t best = have.size();
    for (std::size_t c = 0; c < have.size(); ++c)
      if (have[c] < plan.target && !sources[c].sources.empty() &&
          (best == have.size() || have[c] < have[best]))
        best = c;
    return best;
  };
  while (plan.images.size() < most && next_class() < have.size()) {
    const auto number = static_cast<std::uint32_t>(plan.images.size());
    DrawnImage image;
    image.background = train[backgrounds[number % train.size()]];
    const auto count = Random(options.seed, number, 0, count_stream).integer(1, options.per_image);
    for (std::int64_t i = 0; i < count; ++i) {
      const std::size_t c = next_class();
      if (c == have.size()) break;
      image.objects.push_back(sources[c].sources[orders[c][plan.planned[c] % orders[c].size()]]);
      ++plan.planned[c];
      ++have[c];
    }
    for (const Label& label : set.images[image.background].entry.labels)
      ++have[static_cast<std::size_t>(label.class_index)];
    plan.images.push_back(std::move(image));
  }
  return plan;
}

}  // namespace yolov7::dataset
