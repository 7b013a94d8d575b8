#include "active/selection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <map>
#include <numeric>
#include <unordered_set>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/text.hpp"

namespace yolov7::active {
namespace {

constexpr std::array<StrategyName, 8> all_strategies{{
    {"auto",
     "typical images while a class has fewer than 50 labelled boxes, then mean entropy, spread "
     "over "
     "the classes"},
    {"random", "at random: what every strategy has to beat"},
    {"low-confidence", "images with a box below --below, in their order: the rule of tutorials"},
    {"entropy", "highest mean entropy of the confidences"},
    {"entropy-max", "highest entropy of one box"},
    {"disagreement", "the mirrored image gives other boxes: finds what was missed"},
    {"coverage", "farthest from what is labelled or chosen (k-centre)"},
    {"typical", "the most typical image of each group of similar images, large groups first"},
}};

/// Numbers of random streams. Never change them: the same seed would choose other images.
constexpr std::uint32_t control_stream = 1, empty_stream = 2, random_stream = 3;

class Selecting {
 public:
  Selecting(std::span<const Candidate> candidates, const SelectOptions& options)
      : candidates_(candidates), options_(options), counts_(options.labelled_boxes) {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      if (candidates[i].known)
        ++result_.known;
      else
        open_.push_back(i);
      counts_.resize(std::max(counts_.size(), candidates[i].scores.counts.size()), 0);
    }
    result_.considered = open_.size();
    result_.boxes_factor = factor_of_boxes();
  }

  Selection run() {
    const double amount = options_.budget.amount;
    random_part(options_.control * amount, Choice::Part::control);
    random_part(options_.empty_share * amount, Choice::Part::empty);
    by_strategy();
    return std::move(result_);
  }

 private:
  enum class Taken { yes, no, full };

  /// A detector that knows little finds few of the boxes, and a budget would hold far fewer images
  /// than were chosen for it. The labelled set tells how many there are: its mean is that of images
  /// like these.
  double factor_of_boxes() const {
    constexpr std::size_t enough = 10;  // labelled images, for a mean
    constexpr double most = 10;
    if (options_.labelled.size() < enough || open_.empty()) return 1;
    std::size_t found = 0, labelled = 0;
    for (const std::size_t i : open_) found += candidates_[i].scores.boxes();
    for (const std::size_t count : options_.labelled_boxes) labelled += count;
    const double true_mean =
                     static_cast<double>(labelled) / static_cast<double>(options_.labelled.size()),
                 found_mean = static_cast<double>(found) / static_cast<double>(open_.size());
    return found_mean * most <= true_mean ? most : std::max(1.0, true_mean / found_mean);
  }

  double boxes_of(std::size_t index) const {
    return result_.boxes_factor * static_cast<double>(candidates_[index].scores.boxes());
  }
  double share_of(std::size_t index) const {
    return options_.budget.share_of(boxes_of(index), options_.cost);
  }

  Taken take(std::size_t index, Choice::Part part, const std::function<std::string()>& why) {
    const Candidate& one = candidates_[index];
    if (taken_.contains(index)) return Taken::no;
    if (groups_.contains(one.group)) {
      if (alike_.insert(index).second) ++result_.alike;
      return Taken::no;
    }
    const double share = share_of(index);
    if (!options_.budget.holds(result_.spent + share)) {
      result_.full = true;
      return Taken::full;
    }
    result_.choices.push_back({index, boxes_of(index), share, part, why()});
    result_.spent += share;
    taken_.insert(index);
    groups_.insert(one.group);
    for (std::size_t k = 0; k < one.scores.counts.size(); ++k) counts_[k] += one.scores.counts[k];
    return Taken::yes;
  }

  /// Images at random until about `part` of the budget is spent: one that exceeds it by more than
  /// half of its own share is not taken.
  void random_part(double part, Choice::Part kind) {
    const bool empties = kind == Choice::Part::empty;
    std::vector<std::size_t> pool;
    for (const std::size_t i : open_)
      if (!empties || candidates_[i].scores.looked_at == 0) pool.push_back(i);
    const double before = result_.spent;
    for (const std::size_t place :
         Random(options_.seed, 0, 0, empties ? empty_stream : control_stream)
             .permutation(pool.size())) {
      if (result_.spent - before + share_of(pool[place]) / 2 > part) return;
      const Taken taken = take(pool[place], kind, [&] {
        return std::string(empties ? "at random among images in which nothing was found"
                                   : "at random: the control group");
      });
      if (taken == Taken::full) return;
    }
  }

  void in_order(const std::vector<std::size_t>& order,
                const std::function<std::string(std::size_t)>& why) {
    for (const std::size_t index : order)
      if (take(index, Choice::Part::strategy, [&] { return why(index); }) == Taken::full) return;
  }

  std::vector<std::size_t> ranked(const std::function<double(const ImageScores&)>& score) const {
    std::vector<std::size_t> order = open_;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      return score(candidates_[a].scores) > score(candidates_[b].scores);
    });
    return order;
  }

  std::string entropy_text(std::size_t index) const {
    const ImageScores& scores = candidates_[index].scores;
    return fmt::format("mean entropy {:.3f} of {} detections", scores.mean_entropy,
                       scores.looked_at);
  }

  void by_strategy() {
    const std::string& name = options_.strategy;
    if (name == "auto") return by_default();
    if (name == "random") {
      std::vector<std::size_t> order;
      for (const std::size_t place :
           Random(options_.seed, 0, 0, random_stream).permutation(open_.size()))
        order.push_back(open_[place]);
      return in_order(order, [](std::size_t) { return "at random"; });
    }
    if (name == "low-confidence") {
      std::vector<std::size_t> order;
      for (const std::size_t i : open_)
        if (candidates_[i].scores.lowest < options_.below) order.push_back(i);
      return in_order(order, [&](std::size_t i) {
        return fmt::format("a detection of {:.3f} is below {}", candidates_[i].scores.lowest,
                           text::general(options_.below));
      });
    }
    if (name == "entropy")
      return in_order(ranked([](const ImageScores& s) { return s.mean_entropy; }),
                      [&](std::size_t i) { return entropy_text(i); });
    if (name == "entropy-max")
      return in_order(
          ranked([](const ImageScores& s) { return s.max_entropy; }), [&](std::size_t i) {
            return fmt::format("highest entropy {:.3f} of {} detections",
                               candidates_[i].scores.max_entropy, candidates_[i].scores.looked_at);
          });
    if (name == "disagreement")
      return in_order(ranked([](const ImageScores& s) { return s.disagreement; }),
                      [&](std::size_t i) {
                        return fmt::format("the mirrored image disagrees by {:.3f}",
                                           candidates_[i].scores.disagreement);
                      });
    if (name == "coverage") return by_coverage();
    in_order(typical(), [](std::size_t) { return "typical of a group of similar images"; });
  }

  std::vector<Feature> open_features() const {
    std::vector<Feature> features;
    features.reserve(open_.size());
    for (const std::size_t i : open_) features.push_back(candidates_[i].feature);
    return features;
  }

  /// About as many images as the budget still holds, for the number of groups.
  std::size_t images_left() const {
    double sum = 0;
    for (const std::size_t i : open_) sum += share_of(i);
    const double mean = open_.empty() ? 1 : sum / static_cast<double>(open_.size());
    const double left = options_.budget.amount - result_.spent;
    return static_cast<std::size_t>(std::clamp(mean > 0 ? left / mean : left, 1.0, 1e6));
  }

  std::vector<std::size_t> typical() const {
    const std::vector<Feature> features = open_features();
    std::vector<Feature> covered = options_.labelled;
    for (const Choice& one : result_.choices) covered.push_back(candidates_[one.index].feature);
    std::vector<std::size_t> order =
        typical_order(features, covered, images_left(), options_.seed, options_.threads);
    for (std::size_t& place : order) place = open_[place];
    return order;
  }

  void by_coverage() {
    const std::vector<Feature> features = open_features();
    Coverage coverage(features, options_.labelled, 0, options_.threads);
    for (std::size_t k = 0; k < open_.size(); ++k)
      if (taken_.contains(open_[k])) coverage.cover(k);
    for (Coverage::Pick pick; coverage.next(pick);) {
      const Taken taken = take(open_[pick.index], Choice::Part::strategy, [&] {
        return fmt::format("farthest from what is labelled or chosen: distance {:.3f}",
                           pick.distance);
      });
      if (taken == Taken::full) return;
    }
  }

  bool some_class_is_rare() const {
    return counts_.empty() || std::any_of(counts_.begin(), counts_.end(),
                                          [](std::size_t count) { return count < boxes_to_know; });
  }

  /// Of the classes that were found in the image the one with the fewest boxes; -1: nothing found.
  int rarest_class(std::size_t index) const {
    const auto& found = candidates_[index].scores.counts;
    int best = -1;
    for (std::size_t k = 0; k < found.size(); ++k)
      if (found[k] > 0 && (best < 0 || counts_[k] < counts_[static_cast<std::size_t>(best)]))
        best = static_cast<int>(k);
    return best;
  }

  void by_default() {
    std::size_t by_type = 0, by_entropy = 0;
    bool full = false;
    if (some_class_is_rare())
      for (const std::size_t index : typical()) {
        if (!some_class_is_rare()) break;
        const Taken taken = take(index, Choice::Part::strategy, [] {
          return std::string(
              "typical of a group of similar images (a class has fewer than 50 boxes)");
        });
        by_type += taken == Taken::yes ? 1 : 0;
        if (full = taken == Taken::full; full) break;
      }
    if (!full) by_entropy = by_class_and_entropy();
    result_.phases = fmt::format("{} typical, {} by entropy", by_type, by_entropy);
  }

  /// By mean entropy: always the highest of the classes that have not got their share yet; of all
  /// where there is none. An image counts for its rarest class.
  std::size_t by_class_and_entropy() {
    std::map<int, std::deque<std::size_t>> queues;
    for (const std::size_t index : ranked([](const ImageScores& s) { return s.mean_entropy; }))
      queues[rarest_class(index)].push_back(index);
    std::map<int, std::size_t> images;
    std::size_t chosen = 0;
    const auto entropy = [&](const std::deque<std::size_t>& queue) {
      return candidates_[queue.front()].scores.mean_entropy;
    };
    for (;;) {
      const double allowed = std::max(1.0, options_.class_share * static_cast<double>(chosen + 1));
      auto best = queues.end(), best_of_all = queues.end();
      for (auto one = queues.begin(); one != queues.end(); ++one) {
        if (one->second.empty()) continue;
        const auto better = [&](auto than) {
          return than == queues.end() || entropy(one->second) > entropy(than->second);
        };
        if (better(best_of_all)) best_of_all = one;
        if (static_cast<double>(images[one->first] + 1) <= allowed && better(best)) best = one;
      }
      if (best == queues.end()) best = best_of_all;
      if (best == queues.end()) return chosen;
      const std::size_t index = best->second.front();
      best->second.pop_front();
      const Taken taken = take(index, Choice::Part::strategy, [&] { return entropy_text(index); });
      if (taken == Taken::full) return chosen;
      if (taken == Taken::no) continue;
      ++chosen;
      ++images[best->first];
    }
  }

  std::span<const Candidate> candidates_;
  const SelectOptions& options_;
  std::vector<std::size_t> counts_;  ///< boxes by class: labelled, and expected of what is chosen
  std::vector<std::size_t> open_;    ///< candidates that may be chosen, in their order
  std::unordered_set<std::size_t> taken_, groups_, alike_;
  Selection result_;
};

}  // namespace

std::span<const StrategyName> strategies() { return all_strategies; }

Selection select(std::span<const Candidate> candidates, const SelectOptions& options) {
  if (std::none_of(all_strategies.begin(), all_strategies.end(),
                   [&](const StrategyName& one) { return options.strategy == one.name; }))
    throw usage_error(fmt::format("strategy: expected one of {}, found '{}'",
                                  text::join(
                                      [] {
                                        std::vector<std::string> names;
                                        for (const auto& one : all_strategies)
                                          names.push_back(one.name);
                                        return names;
                                      }(),
                                      ", "),
                                  options.strategy));
  if (!(options.budget.amount > 0))
    throw usage_error(fmt::format("budget: expected more than 0 {}, found {}",
                                  budget_word(options.budget.unit),
                                  text::general(options.budget.amount)));
  if (!(options.control >= 0) || !(options.empty_share >= 0) ||
      options.control + options.empty_share > 1)
    throw usage_error(fmt::format(
        "expected a control share and a share of empty images of at most 1 together, found {} and "
        "{}",
        text::general(options.control), text::general(options.empty_share)));
  return Selecting(candidates, options).run();
}

}  // namespace yolov7::active
