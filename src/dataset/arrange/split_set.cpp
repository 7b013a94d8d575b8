#include "dataset/arrange/split_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "dataset/formats/output_folder.hpp"
#include "dataset/formats/yolo_layout.hpp"
#include "dataset/index/description.hpp"
#include "dataset/index/pictures.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

constexpr const char* record_name = "split.json";

struct Work {
  const SplitSetOptions& options;
  GatheredSet set;
  SplitSetReport report;
  Placement placement = Placement::list;
  std::vector<int> parts = {};  ///< of each image
  /// Folds of a set without label files: the place of each image in a folder that all folds share.
  std::vector<std::string> shared = {};

  /// Its line in the list of a part.
  std::string line_of(std::size_t image) const {
    return shared.empty() ? set.images[image].entry.picture.string() : "./../" + shared[image];
  }
};

/// The splits of an earlier result by content.
std::map<std::string, std::string> read_previous(const fs::path& path) {
  const fs::path file = fs::is_directory(path) ? path / record_name : path;
  std::map<std::string, std::string> result;
  const nlohmann::json record = read_json(file);
  const auto fail = [&](const char* found) {
    return Error(
        fmt::format("{}: expected the record of an earlier split, with 'images' that have "
                    "'content' and 'split', found {}",
                    file.string(), found));
  };
  if (!record.is_object() || !record.contains("images") || !record["images"].is_array())
    throw fail("no list of images");
  for (const nlohmann::json& one : record["images"]) {
    if (!one.is_object() || !one.contains("content") || !one["content"].is_string() ||
        !one.contains("split") || !one["split"].is_string())
      throw fail("an image without them");
    result.emplace(one["content"].get<std::string>(), one["split"].get<std::string>());
  }
  return result;
}

/// The part of a split that is kept. Error: this call has no such part.
int part_of(const std::string& split, const std::vector<std::string>& parts,
            const std::string& what) {
  const auto found = std::find(parts.begin(), parts.end(), split);
  if (found == parts.end())
    throw Error(
        fmt::format("{}: expected a share for every split that stays, found none for '{}' "
                    "among {}",
                    what, split, text::join(parts, ", ")));
  return static_cast<int>(found - parts.begin());
}

/// The part that an image keeps, or −1.
std::vector<int> kept_parts(const Work& work) {
  std::vector<int> kept(work.set.images.size(), -1);
  const SplitSetOptions& o = work.options;
  std::map<std::string, std::string> previous;
  if (!o.previous.empty()) previous = read_previous(o.previous);
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const GatheredImage& image = work.set.images[i];
    if (const auto known = previous.find(image.entry.content_hash); known != previous.end())
      kept[i] = part_of(known->second, work.report.parts, o.previous.string());
    if (o.keep_test && image.split == "test")
      kept[i] = part_of("test", work.report.parts, setting_name("keep-test"));
  }
  return kept;
}

/// A unit for each group; where what stays is in several parts, the group falls into a unit for
/// each, and what is free goes with the first.
struct Units {
  std::vector<SplitUnit> units;
  std::vector<std::size_t> of;  ///< the unit of each image
};

Units make_units(const Work& work, const std::vector<int>& kept) {
  Units result;
  const Together& together = work.report.together;
  std::map<std::size_t, int> first_kept;  // of each group
  for (std::size_t i = 0; i < kept.size(); ++i)
    if (kept[i] >= 0) first_kept.emplace(together.groups.of(i), kept[i]);
  std::map<std::pair<std::size_t, int>, std::size_t> places;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    const std::size_t group = together.groups.of(i);
    const auto known = first_kept.find(group);
    const int part = kept[i] >= 0 ? kept[i] : known != first_kept.end() ? known->second : -1;
    const auto [place, fresh] = places.emplace(std::pair(group, part), result.units.size());
    if (fresh) {
      const std::vector<std::size_t> none(work.set.names.size());
      result.units.push_back({0, none, together.keys[i], part, none});
    }
    SplitUnit& unit = result.units[place->second];
    ++unit.images;
    unit.key = std::min(unit.key, together.keys[i]);
    std::set<int> classes;
    for (const Label& label : work.set.images[i].entry.labels) {
      classes.insert(label.class_index);
      ++unit.boxes[static_cast<std::size_t>(label.class_index)];
    }
    for (const int c : classes) ++unit.classes[static_cast<std::size_t>(c)];
    result.of.push_back(place->second);
  }
  return result;
}

void assign(Work& work) {
  SplitSetReport& report = work.report;
  const SplitSetOptions& o = work.options;
  std::vector<double> shares = o.shares;
  if (o.folds > 0) {
    shares.assign(static_cast<std::size_t>(o.folds), 1);
    for (int fold = 1; fold <= o.folds; ++fold) report.parts.push_back(fmt::format("fold{}", fold));
  } else {
    for (std::size_t i = 0; i < shares.size(); ++i) report.parts.emplace_back(split_names[i]);
  }
  double sum = 0;
  for (const double share : shares) sum += share;
  for (const double share : shares) report.shares.push_back(share / sum);
  const std::vector<int> kept = kept_parts(work);
  report.kept = static_cast<std::size_t>(
      std::count_if(kept.begin(), kept.end(), [](int part) { return part >= 0; }));
  const Units units = make_units(work, kept);
  const std::vector<int> parts = assign_parts(units.units, shares, o.method, o.seed);
  for (const std::size_t unit : units.of) work.parts.push_back(parts[unit]);
  for (const auto& group : report.together.groups.several())
    report.largest_group = std::max(report.largest_group, group.size());
  std::set<std::size_t> groups;
  for (std::size_t i = 0; i < work.parts.size(); ++i) groups.insert(report.together.groups.of(i));
  report.groups = groups.size();
  report.images = work.parts.size();
  report.largest_group = std::max(report.largest_group, std::size_t{1});
}

void count_found(Work& work) {
  SplitSetReport& report = work.report;
  std::vector<std::string> before, after;
  for (std::size_t p = 0; p < report.parts.size(); ++p)
    report.found.push_back(
        {report.parts[p], 0, 0, 0, std::vector<std::size_t>(work.set.names.size())});
  for (std::size_t i = 0; i < work.parts.size(); ++i) {
    SplitCount& count = report.found[static_cast<std::size_t>(work.parts[i])];
    const Entry& entry = work.set.images[i].entry;
    ++count.pictures;
    count.boxes += entry.labels.size();
    count.empty += entry.labels.empty() ? 1 : 0;
    for (const Label& label : entry.labels)
      ++count.boxes_per_class[static_cast<std::size_t>(label.class_index)];
    before.push_back(work.set.images[i].split);
    after.push_back(count.name);
  }
  report.parted_before = parted(report.together, before);
  report.parted_after = parted(report.together, after);
  for (std::size_t p = 0; p < report.parts.size(); ++p)
    if (report.found[p].pictures == 0 && report.shares[p] > 0)
      throw Error(fmt::format(
          "{}: expected images for every split, found none for {}: {} images in {} groups, the "
          "largest of {}",
          work.options.data.string(), report.parts[p], report.images, report.groups,
          report.largest_group));
}

std::string record_text(const Work& work) {
  static constexpr const char* methods[] = {"random", "stratified", "stable"};
  nlohmann::json images = nlohmann::json::array();
  for (std::size_t i = 0; i < work.parts.size(); ++i)
    images.push_back({{"image", work.set.images[i].entry.picture.string()},
                      {"content", work.set.images[i].entry.content_hash},
                      {"split", work.report.parts[static_cast<std::size_t>(work.parts[i])]},
                      {"group", work.report.together.groups.of(i)}});
  nlohmann::json record = to_json(work.report);
  record["by"] = methods[static_cast<std::size_t>(work.options.method)];
  record["seed"] = work.options.seed;
  record["images"] = std::move(images);
  return json_text(record, 1) + "\n";
}

/// What the written lists say, by path. Folders cannot be read back by path: their counts were
/// compared already.
void verify_lists(const fs::path& folder, const Work& work) {
  std::map<std::string, std::size_t> index;
  for (std::size_t i = 0; i < work.parts.size(); ++i)
    index.emplace(work.shared.empty() ? work.line_of(i) : (folder / work.shared[i]).string(), i);
  std::vector<std::string> splits(work.parts.size());
  std::size_t listed = 0;
  for (const std::string& part : work.report.parts) {
    const fs::path list =
        work.options.folds > 0 ? folder / part / "val.txt" : folder / (part + ".txt");
    if (!fs::exists(list)) continue;
    for (const fs::path& picture : collect_pictures({list})) {
      const auto found =
          index.find((work.shared.empty() ? picture : picture.lexically_normal()).string());
      if (found == index.end() || !splits[found->second].empty())
        throw Error(
            fmt::format("{}: the list that was written names {}, which it should not: a "
                        "defect of this program",
                        list.string(), picture.string()));
      splits[found->second] = part;
      ++listed;
    }
  }
  if (listed != splits.size() || parted(work.report.together, splits) != work.report.parted_after)
    throw Error("split: what was written is not what was decided: a defect of this program");
}

void write_part(const fs::path& folder, Work& work, int val_fold) {
  OutputSet output;
  output.names = work.set.names;
  output.placement = work.placement;
  output.stop = work.options.stop;
  output.key_points = work.set.key_points;
  for (std::size_t i = 0; i < work.parts.size(); ++i) {
    const GatheredImage& image = work.set.images[i];
    const std::string split = val_fold < 0
                                  ? work.report.parts[static_cast<std::size_t>(work.parts[i])]
                              : work.parts[i] == val_fold ? "val"
                                                          : "train";
    output.images.push_back(
        {&image, split, image.entry.labels, work.shared.empty() ? std::string() : work.line_of(i)});
  }
  Conversion account = work.set.account;
  write_set(folder, output, account);
  if (val_fold <= 0) work.report.account = std::move(account);
}

/// Images and labels that all folds share, since the source has no label files.
void write_shared(const fs::path& folder, Work& work) {
  constexpr const char* place = "images/all";
  ExportSplit all{"all", {}};
  for (const GatheredImage& image : work.set.images)
    all.items.push_back({image.entry.picture, image.entry.labels, image.entry.has_label_file});
  const ExportReport report = export_yolo(folder, work.set.names, {all}, false, work.options.stop);
  fs::remove(folder / "data.yaml");  // each fold has its own
  if (report.polygons) work.set.key_points = "[0, 0]";
  const std::map<fs::path, std::string> renamed(report.renamed.begin(), report.renamed.end());
  for (const ExportItem& item : all.items) {
    const auto known = renamed.find(item.picture);
    work.shared.push_back(fmt::format(
        "{}/{}", place, known == renamed.end() ? item.picture.filename().string() : known->second));
  }
  work.set.account.renamed = report.renamed;
}

void write_all(const fs::path& folder, Work& work) {
  const int folds = work.options.folds;
  if (folds > 0 && work.placement != Placement::list) {
    write_shared(folder, work);
    work.placement = Placement::list;
  }
  if (folds == 0) write_part(folder, work, -1);
  for (int fold = 0; fold < folds; ++fold) {
    const fs::path part = folder / work.report.parts[static_cast<std::size_t>(fold)];
    file::make_folder(part);
    write_part(part, work, fold);
  }
  if (work.placement == Placement::list) verify_lists(folder, work);
  file::write_atomically(folder / record_name, record_text(work), file::Sync::later);
}

}  // namespace

SplitSetReport split_set(const SplitSetOptions& options) {
  if (options.folds > 0 && options.placement != Placement::list)
    throw usage_error(fmt::format("{}: folds are lists alone: copies would be {} times the data",
                                  setting_name("folds"), options.folds));
  if (options.folds > 0 && options.keep_test)
    throw usage_error(fmt::format("{}: folds have no test split", setting_name("keep-test")));
  require_empty(options.out);
  Work work{
      options, gather_set(options.data, {{}, options.out, options.threads, options.stop}), {}};
  work.report.names = work.set.names;
  work.report.together = find_together(work.set, options.together);
  work.set.account.out = options.out;
  work.set.account.split_rule = "drawn anew";
  work.placement = placement_for(work.set, options.placement, work.set.account);
  assign(work);
  count_found(work);
  build_folder(options.out, [&](const fs::path& temporary) { write_all(temporary, work); });
  return std::move(work.report);
}

nlohmann::json to_json(const SplitSetReport& report) {
  nlohmann::json splits = nlohmann::json::object();
  std::vector<std::size_t> of_class(report.names.size());
  for (const SplitCount& part : report.found)
    for (std::size_t c = 0; c < of_class.size(); ++c) of_class[c] += part.boxes_per_class[c];
  const auto share = [](std::size_t part, std::size_t all) {
    return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
  };
  for (std::size_t p = 0; p < report.found.size(); ++p) {
    const SplitCount& part = report.found[p];
    nlohmann::json classes = nlohmann::json::array();
    for (std::size_t c = 0; c < of_class.size(); ++c)
      classes.push_back({{"name", report.names[c]},
                         {"boxes", part.boxes_per_class[c]},
                         {"share", share(part.boxes_per_class[c], of_class[c])}});
    splits[part.name] = {{"pictures", part.pictures},
                         {"boxes", part.boxes},
                         {"empty", part.empty},
                         {"wanted", report.shares[p]},
                         {"found", share(part.pictures, report.images)},
                         {"classes", std::move(classes)}};
  }
  const Together& together = report.together;
  return {
      {"splits", std::move(splits)},
      {"pictures", report.images},
      {"groups", report.groups},
      {"largest_group", report.largest_group},
      {"kept", report.kept},
      {"pairs", {{"equal", together.equal}, {"near", together.near}, {"named", together.named}}},
      {"plain", together.plain},
      {"unnamed", together.unnamed},
      {"parted_before", report.parted_before},
      {"parted_after", report.parted_after},
      {"account", to_json(report.account)}};
}

std::vector<std::string> summary_lines(const SplitSetReport& report) {
  std::vector<std::string> lines;
  const auto percent = [](std::size_t part, std::size_t all) {
    return all == 0 ? std::string("–")
                    : fmt::format("{:.1f} %",
                                  100.0 * static_cast<double>(part) / static_cast<double>(all));
  };
  lines.push_back(fmt::format("{} images in {} groups that stay together, the largest of {}",
                              report.images, report.groups, report.largest_group));
  std::vector<std::size_t> of_class(report.names.size());
  for (const SplitCount& part : report.found)
    for (std::size_t c = 0; c < of_class.size(); ++c) of_class[c] += part.boxes_per_class[c];
  for (std::size_t p = 0; p < report.found.size(); ++p) {
    const SplitCount& part = report.found[p];
    lines.push_back(
        fmt::format("{}: {} images, {} (wanted {:.1f} %), {} boxes, {} images without a box",
                    part.name, part.pictures, percent(part.pictures, report.images),
                    100 * report.shares[p], part.boxes, part.empty));
    for (std::size_t c = 0; c < of_class.size(); ++c)
      lines.push_back(fmt::format("  {:>8} of {:>8} boxes, {:>7}  {}", part.boxes_per_class[c],
                                  of_class[c], percent(part.boxes_per_class[c], of_class[c]),
                                  report.names[c]));
  }
  const Together& together = report.together;
  lines.push_back(fmt::format(
      "pairs that belong together: {} equal files, {} near duplicates, {} of named groups; in "
      "different splits: {} in the source, {} now",
      together.equal, together.near, together.named, report.parted_before, report.parted_after));
  if (together.plain > 0)
    lines.push_back(
        fmt::format("{} images have no structure to compare: only equal pixels were looked for",
                    together.plain));
  if (together.unnamed > 0)
    lines.push_back(
        fmt::format("the names of {} images give no group: each stands alone", together.unnamed));
  if (report.kept > 0) lines.push_back(fmt::format("{} images stay where they were", report.kept));
  if (report.parted_after > 0)
    lines.push_back(fmt::format(
        "warning: {} pairs are in different splits, since images that stay have parted them",
        report.parted_after));
  const Conversion& account = report.account;
  lines.push_back(fmt::format("images: {} in, {} out, {} dropped; boxes: {} in, {} out, {} dropped",
                              account.pictures.in, account.pictures.out, account.pictures.dropped,
                              account.boxes.in, account.boxes.out, account.boxes.dropped));
  add_reasons(account, record_name, lines);
  return lines;
}

}  // namespace yolov7::dataset
