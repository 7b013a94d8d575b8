#include "dataset/arrange/together.hpp"

#include <fmt/format.h>

#include <optional>
#include <unordered_map>

#include "core/error.hpp"
#include "core/progress.hpp"
#include "core/regular_expression.hpp"
#include "core/setting_name.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "dataset/similarity/exact.hpp"
#include "dataset/similarity/near_pairs.hpp"

namespace yolov7::dataset {
namespace {

/// Pairs of each image with the first one of its key.
std::size_t join_equal(const std::vector<std::string>& keys, Together& together) {
  std::unordered_map<std::string, std::size_t> first;
  std::size_t count = 0;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].empty()) continue;
    const auto [known, fresh] = first.emplace(keys[i], i);
    if (fresh) continue;
    together.pairs.emplace_back(known->second, i);
    together.groups.join(known->second, i);
    ++count;
  }
  return count;
}

std::vector<std::filesystem::path> paths_of(const GatheredSet& set) {
  std::vector<std::filesystem::path> paths;
  for (const GatheredImage& image : set.images) paths.push_back(image.entry.picture);
  return paths;
}

void join_near(const GatheredSet& set, const TogetherOptions& options, Together& together) {
  std::vector<similarity::Sketch> sketches(set.images.size());
  Progress progress("looking for near duplicates", sketches.size(), "images");
  parallel_for(sketches.size(), threads_or_all(options.threads), [&](std::size_t i) {
    check_stop(options.stop);
    sketches[i] = similarity::read_sketch(set.images[i].entry.picture);
    progress.advance();
  });
  progress.finish();
  const similarity::NearPairs near =
      similarity::find_near_pairs(sketches, {options.threads, options.stop});
  for (const similarity::NearPair& pair : near.pairs) {
    together.pairs.emplace_back(pair.a, pair.b);
    together.groups.join(pair.a, pair.b);
  }
  together.near = near.pairs.size();
  together.plain = near.plain.size();
  // Images without structure can only be equal, whatever their files look like.
  together.equal += join_equal(
      similarity::pixel_digests(paths_of(set), near.plain, options.threads, options.stop),
      together);
}

void require_pattern(const std::string& pattern) {
  if (const std::string fault = regular_expression_fault(pattern); !fault.empty())
    throw usage_error(
        fmt::format("{}: expected a regular expression with the group in brackets, as in "
                    "'^(patient[0-9]+)_', found '{}' with {}",
                    setting_name("together-pattern"), text::printable(pattern), fault));
}

}  // namespace

Together find_together(const GatheredSet& set, const TogetherOptions& options) {
  require_pattern(options.pattern);
  Together together;
  const std::size_t count = set.images.size();
  together.groups = similarity::Groups(count);
  std::vector<std::string> contents, names(count);
  for (const GatheredImage& image : set.images) contents.push_back(image.entry.content_hash);
  together.equal = join_equal(
      similarity::digests_of_equal(paths_of(set), contents, options.threads, options.stop),
      together);
  std::optional<similarity::NamePattern> pattern;
  if (!options.pattern.empty()) pattern.emplace(options.pattern, setting_name("together-pattern"));
  for (std::size_t i = 0; i < count && (pattern || options.video); ++i) {
    if (pattern) names[i] = pattern->group_of(set.images[i].relative).value_or("");
    if (names[i].empty() && options.video) names[i] = similarity::video_of(set.images[i].relative);
    together.unnamed += names[i].empty() ? 1 : 0;
  }
  together.named = join_equal(names, together);
  if (options.similarity) join_near(set, options, together);
  for (std::size_t i = 0; i < count; ++i)
    together.keys.push_back(names[i].empty() ? contents[i] : names[i]);
  return together;
}

std::size_t parted(const Together& together, const std::vector<std::string>& splits) {
  std::size_t count = 0;
  for (const auto& [a, b] : together.pairs) count += splits[a] != splits[b] ? 1 : 0;
  return count;
}

}  // namespace yolov7::dataset
