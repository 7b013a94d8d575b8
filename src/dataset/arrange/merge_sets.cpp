#include "dataset/arrange/merge_sets.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <unordered_map>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "dataset/formats/output_folder.hpp"
#include "dataset/similarity/exact.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

bool same(const Label& a, const Label& b) {
  return a.class_index == b.class_index && a.box.cx == b.box.cx && a.box.cy == b.box.cy &&
         a.box.w == b.box.w && a.box.h == b.box.h && a.polygon == b.polygon;
}

/// The same labels in whatever order; none of them is there twice.
bool same_labels(const std::vector<Label>& a, const std::vector<Label>& b) {
  if (a.size() != b.size()) return false;
  for (const Label& one : a) {
    bool found = false;
    for (const Label& other : b) found = found || same(one, other);
    if (!found) return false;
  }
  return true;
}

int place_of(const std::string& split) { return split == "train" ? 0 : split == "val" ? 1 : 2; }

struct Merging {
  const MergeOptions& options;
  Conversion account;
  std::vector<GatheredImage> images;                   ///< of all sets, with their new labels
  std::unordered_map<std::string, std::size_t> first;  ///< digest → place in `images`
  std::size_t conflicts = 0;
  std::string conflict;
};

/// Sets which of two images stays; the other one is named.
void settle(Merging& work, GatheredImage& known, GatheredImage&& image) {
  if (!same_labels(known.entry.labels, image.entry.labels)) {
    if (work.options.prefer == Prefer::neither && work.conflicts++ == 0)
      work.conflict =
          fmt::format("{} and {} are the same image with other labels ({} and {} boxes)",
                      known.entry.picture.string(), image.entry.picture.string(),
                      known.entry.labels.size(), image.entry.labels.size());
    if (work.options.prefer == Prefer::last) {
      std::swap(known.entry.labels, image.entry.labels);
      std::swap(known.entry.has_label_file, image.entry.has_label_file);
    }
  }
  const bool moved = place_of(image.split) > place_of(known.split);
  if (moved) std::swap(known.split, image.split);
  leave_out(image,
            fmt::format("the same image as {}{}", known.entry.picture.string(),
                        moved ? fmt::format(", which is in {} now", known.split) : ""),
            work.account);
}

/// Of all images of all sets, in their order: equal texts that are not empty are equal files.
std::vector<std::string> digests_of(const std::vector<GatheredSet>& sets,
                                    const MergeOptions& options) {
  std::vector<fs::path> paths;
  std::vector<std::string> hashes;
  for (const GatheredSet& set : sets)
    for (const GatheredImage& image : set.images) {
      paths.push_back(image.entry.picture);
      hashes.push_back(image.entry.content_hash);
    }
  return similarity::digests_of_equal(paths, hashes, options.threads, options.stop);
}

/// `digests`: of its images.
void take_set(Merging& work, GatheredSet set, std::size_t source, const std::vector<int>& map,
              std::span<const std::string> digests) {
  add_account(work.account, std::move(set.account));
  for (std::size_t i = 0; i < set.images.size(); ++i) {
    GatheredImage& image = set.images[i];
    image.source = source;
    image.entry.labels = mapped_labels(image, map, set.names, work.account);
    if (digests[i].empty()) {  // no other image is like it
      work.images.push_back(std::move(image));
      continue;
    }
    const auto [known, fresh] = work.first.emplace(digests[i], work.images.size());
    // What one set has twice stays as it is: that is no matter of joining sets.
    if (fresh || work.images[known->second].source == source)
      work.images.push_back(std::move(image));
    else
      settle(work, work.images[known->second], std::move(image));
  }
}

/// "coco", or "coco, yolo" where the sets are of several.
std::string formats_of(const std::vector<GatheredSet>& sets) {
  std::vector<std::string> names;
  for (const GatheredSet& set : sets)
    if (!text::contains(names, set.account.from)) names.push_back(set.account.from);
  return text::join(names, ", ");
}

}  // namespace

std::vector<Label> mapped_labels(const GatheredImage& image, const std::vector<int>& map,
                                 const std::vector<std::string>& old_names, Conversion& account) {
  std::vector<Label> labels;
  const auto drop = [&](std::string reason) {
    account.drop({"box", label_path(image.entry.picture), 0, 1, std::move(reason)});
  };
  for (const Label& label : image.entry.labels) {
    const auto old = static_cast<std::size_t>(label.class_index);
    if (map[old] < 0) {
      drop(fmt::format("its class '{}' is dropped", old_names[old]));
      continue;
    }
    Label one = label;
    one.class_index = map[old];
    bool twice = false;
    for (const Label& other : labels) twice = twice || same(one, other);
    if (twice)
      drop(fmt::format("box of class '{}' that is there already under the new classes",
                       old_names[old]));
    else
      labels.push_back(std::move(one));
  }
  return labels;
}

void add_account(Conversion& sum, Conversion one) {
  const auto add = [](InOut& a, const InOut& b) {
    a.in += b.in, a.out += b.out, a.dropped += b.dropped;
  };
  add(sum.annotations, one.annotations);
  add(sum.pictures, one.pictures);
  add(sum.boxes, one.boxes);
  sum.difficult += one.difficult;
  sum.clipped += one.clipped;
  sum.truncated += one.truncated;
  for (const auto& [kind, count] : one.not_boxes) sum.not_boxes[kind] += count;
  for (ConversionLoss& loss : one.losses) {
    const auto known = std::find_if(sum.losses.begin(), sum.losses.end(), [&](const auto& other) {
      return other.what == loss.what && other.where == loss.where;
    });
    if (known == sum.losses.end())
      sum.losses.push_back(std::move(loss));
    else
      known->count += loss.count;
  }
  sum.drops.insert(sum.drops.end(), one.drops.begin(), one.drops.end());
  sum.notes.insert(sum.notes.end(), one.notes.begin(), one.notes.end());
}

Conversion merge_sets(const MergeOptions& options) {
  require_empty(options.out);
  std::vector<GatheredSet> sets;
  std::vector<SourceClasses> classes;
  for (const fs::path& data : options.data) {
    sets.push_back(gather_set(data, {{}, options.out, options.threads, options.stop}));
    classes.push_back({data.string(), sets.back().names});
  }
  const ClassMap map = join_classes(classes, options.changes, options.names);
  Merging work{options, {}, {}, {}, 0, {}};
  std::vector<std::string> places;
  for (const SourceClasses& one : classes) places.push_back(one.source);
  work.account.source = text::join(places, ", ");
  work.account.out = options.out;
  work.account.from = formats_of(sets);
  work.account.to = "yolo";
  work.account.split_rule = "those of the sources";
  const std::vector<std::string> digests = digests_of(sets, options);
  std::size_t at = 0;  // of the first image of a set among the digests
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const std::size_t count = sets[i].images.size();
    take_set(work, std::move(sets[i]), i, map.of[i], std::span(digests).subspan(at, count));
    at += count;
  }
  if (work.conflicts > 0)
    throw Error(
        fmt::format("{}{}; {} says whose labels are taken", work.conflict,
                    work.conflicts > 1 ? fmt::format(", and {} more", work.conflicts - 1) : "",
                    setting_name("prefer")));
  OutputSet output{map.names, {}, options.placement, options.stop};
  for (const GatheredImage& image : work.images)
    output.images.push_back({&image, image.split, image.entry.labels});
  build_folder(options.out, [&](const fs::path& temporary) {
    write_set(temporary, output, work.account);
    file::write_atomically(temporary / "conversion.json",
                           json_text(to_json(work.account), 2) + "\n", file::Sync::later);
  });
  return std::move(work.account);
}

}  // namespace yolov7::dataset
