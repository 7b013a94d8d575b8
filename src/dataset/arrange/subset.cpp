#include "dataset/arrange/subset.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "dataset/arrange/merge_sets.hpp"
#include "dataset/formats/output_folder.hpp"
#include "dataset/index/pictures.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

std::set<int> numbers_of(const std::vector<std::string>& wanted,
                         const std::vector<std::string>& names, const char* option) {
  std::set<int> numbers;
  for (const std::string& name : wanted) {
    bool found = false;
    for (std::size_t i = 0; i < names.size(); ++i)
      if (names[i] == name) numbers.insert(static_cast<int>(i)), found = true;
    if (!found)
      throw Error(fmt::format("{}: expected a class of the data set, found '{}'{}",
                              setting_name(option), name, text::did_you_mean(name, names)));
  }
  return numbers;
}

/// Takes out what `keeps` refuses, by name.
template <class Keeps>
void keep_if(GatheredSet& set, const std::string& reason, const Keeps& keeps) {
  std::vector<GatheredImage> kept;
  for (std::size_t i = 0; i < set.images.size(); ++i) {
    if (keeps(set.images[i], i))
      kept.push_back(std::move(set.images[i]));
    else
      leave_out(set.images[i], reason, set.account);
  }
  set.images = std::move(kept);
}

void keep_listed(GatheredSet& set, const fs::path& list) {
  std::set<fs::path> wanted;
  std::error_code error;
  for (const fs::path& picture : collect_pictures({list})) {
    const fs::path canonical = fs::canonical(picture, error);
    wanted.insert(error ? picture : canonical);
  }
  const auto place = [](const GatheredImage& image) {
    std::error_code failed;
    const fs::path canonical = fs::canonical(image.entry.picture, failed);
    return failed ? image.entry.picture : canonical;
  };
  std::set<fs::path> there;
  for (const GatheredImage& image : set.images) there.insert(place(image));
  for (const fs::path& one : wanted)
    if (!there.contains(one))
      throw Error(
          fmt::format("{}: expected images of the data set, found {}, which is none of its "
                      "usable ones",
                      list.string(), one.string()));
  keep_if(set, "not in the list",
          [&](const GatheredImage& image, std::size_t) { return wanted.contains(place(image)); });
}

/// So many of each split, chosen by the rules of a split into two parts.
void choose(GatheredSet& set, const SubsetOptions& o) {
  std::vector<bool> chosen(set.images.size(), true);
  for (const char* split : split_names) {
    std::vector<std::size_t> members;
    std::vector<SplitUnit> units;
    for (std::size_t i = 0; i < set.images.size(); ++i) {
      const GatheredImage& image = set.images[i];
      if (image.split != split) continue;
      members.push_back(i);
      const std::vector<std::size_t> none(set.names.size());
      SplitUnit unit{1, none, image.entry.content_hash, -1, none};
      for (const Label& label : image.entry.labels) {
        unit.classes[static_cast<std::size_t>(label.class_index)] = 1;
        ++unit.boxes[static_cast<std::size_t>(label.class_index)];
      }
      units.push_back(std::move(unit));
    }
    if (members.empty()) continue;
    const double all = static_cast<double>(members.size());
    const double wanted =
        o.count > 0 ? std::min(static_cast<double>(o.count), all) : all * o.percent / 100;
    const std::vector<int> parts = assign_parts(units, {wanted, all - wanted}, o.method, o.seed);
    for (std::size_t k = 0; k < members.size(); ++k) chosen[members[k]] = parts[k] == 0;
  }
  keep_if(set, "not chosen", [&](const GatheredImage&, std::size_t i) { return chosen[i]; });
}

/// Drops boxes of other classes; the class list becomes that of the option.
void keep_classes(GatheredSet& set, const SubsetOptions& o) {
  numbers_of(o.only_classes, set.names, "only-classes");
  std::set<std::string> seen;
  for (const std::string& name : o.only_classes)
    if (!seen.insert(name).second)
      throw usage_error(fmt::format("{}: expected each class once, found '{}' twice",
                                    setting_name("only-classes"), name));
  std::vector<int> map;
  for (const std::string& name : set.names) {
    const auto found = std::find(o.only_classes.begin(), o.only_classes.end(), name);
    map.push_back(found == o.only_classes.end() ? -1
                                                : static_cast<int>(found - o.only_classes.begin()));
  }
  for (GatheredImage& image : set.images)
    image.entry.labels = mapped_labels(image, map, set.names, set.account);
  set.names = o.only_classes;
}

/// Without a condition the part is the whole.
void require_choice(const SubsetOptions& o) {
  if (!o.splits.empty() || !o.list.empty() || !o.with_classes.empty() || !o.only_classes.empty() ||
      o.count > 0 || o.percent < 100)
    return;
  std::vector<std::string> names;
  for (const char* name : {"split", "list", "with-classes", "only-classes", "count", "percent"})
    names.push_back(setting_name(name));
  throw usage_error(fmt::format("expected a condition that chooses a part ({}), found none",
                                text::join(names, ", ")));
}

}  // namespace

Conversion subset(const SubsetOptions& options) {
  require_choice(options);
  require_empty(options.out);
  GatheredSet set =
      gather_set(options.data, {options.splits, options.out, options.threads, options.stop});
  const Placement placement = placement_for(set, options.placement, set.account);
  if (!options.only_classes.empty() && placement == Placement::list)
    throw usage_error(
        fmt::format("{}: expected {} or {}, found neither: lists leave the labels of "
                    "the source as they are",
                    setting_name("only-classes"), setting_name("copy"), setting_name("link")));
  if (!options.list.empty()) keep_listed(set, options.list);
  if (!options.with_classes.empty()) {
    const std::set<int> wanted = numbers_of(options.with_classes, set.names, "with-classes");
    keep_if(set, "no box of a wanted class", [&](const GatheredImage& image, std::size_t) {
      return std::any_of(image.entry.labels.begin(), image.entry.labels.end(),
                         [&](const Label& label) { return wanted.contains(label.class_index); });
    });
  }
  if (options.count > 0 || options.percent < 100) choose(set, options);
  if (!options.only_classes.empty()) keep_classes(set, options);
  if (set.images.empty())
    throw Error(fmt::format("{}: expected images that meet all conditions, found none",
                            options.data.string()));
  Conversion account = std::move(set.account);
  account.out = options.out;
  account.split_rule = "those of the source";
  OutputSet output{set.names, {}, placement, options.stop, set.key_points};
  for (const GatheredImage& image : set.images)
    output.images.push_back({&image, image.split, image.entry.labels});
  build_folder(options.out, [&](const fs::path& temporary) {
    write_set(temporary, output, account);
    file::write_atomically(temporary / "conversion.json", json_text(to_json(account), 2) + "\n",
                           file::Sync::later);
  });
  return account;
}

}  // namespace yolov7::dataset
