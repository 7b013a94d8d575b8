#include "dataset/arrange/gathered_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <system_error>
#include <utility>

#include "core/encoding.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "dataset/formats/open_data.hpp"
#include "dataset/formats/output_folder.hpp"
#include "dataset/formats/yolo.hpp"
#include "dataset/index/read_index.hpp"
#include "dataset/index/ready_set.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

/// A path that holds from any folder, without "." and ".." where that names the same file.
fs::path whole_path(const fs::path& path) {
  const fs::path whole = fs::absolute(path), normal = whole.lexically_normal();
  std::error_code error;
  return fs::equivalent(whole, normal, error) && !error ? normal : whole;
}

/// Rows of a label file that is not used: what is lost with it.
std::size_t row_count(const fs::path& label) {
  constexpr std::uint64_t most_bytes = 64u << 20;
  std::error_code error;
  if (!fs::is_regular_file(label, error)) return 0;
  std::size_t rows = 0;
  try {
    const std::string content = text::as_utf8(file::read(label, most_bytes), label.string());
    for (const std::string_view line : text::lines(content))
      rows += text::trim(line).empty() ? 0 : 1;
  } catch (const Error&) {
    return 0;  // no rows can be told apart; the reason for the drop says so
  }
  return rows;
}

/// What an index lost: whole images, rows, and label files without an image.
void take_problems(const Index& index, bool label_files, Conversion& account) {
  const auto starts = [](const Problem& one, const char* text) {
    return one.reason.starts_with(text);
  };
  for (const Problem& one : index.problems) {
    const bool bad_label = one.reason.find("(ignoring corrupted label") != std::string::npos;
    const bool image = starts(one, "ignoring corrupted image") || starts(one, "not looked at");
    const bool orphan = starts(one, "label file without an image");
    const bool absent = starts(one, "the image '") && one.reason.ends_with("does not exist");
    const bool row = !bad_label && !image && !orphan && !absent;
    std::size_t boxes = row ? 1 : 0;
    if (bad_label || orphan) boxes = row_count(one.file);
    if (image) boxes = row_count(label_path(one.file));
    account.drop({row      ? "box"
                  : orphan ? "annotation"
                           : "image",
                  one.file, one.line, boxes, one.reason});
    if (label_files) account.boxes.in += boxes;
    account.pictures.in += absent ? 1 : 0;  // the others are counted with their split
  }
  account.notes.insert(account.notes.end(), index.notes.begin(), index.notes.end());
}

/// What a split of label files brings in. Other formats have counted that already.
void count_in(const Index& index, Conversion& account) {
  account.pictures.in += index.entries.size() + index.corrupt + index.unread;
  const auto usable = std::count_if(index.entries.begin(), index.entries.end(),
                                    [](const Entry& entry) { return entry.has_label_file; });
  account.annotations.in += index.found + index.orphan_labels;
  account.annotations.dropped += index.found - static_cast<std::size_t>(usable);
  account.boxes.in += index.label_count();
}

fs::path relative_to(const fs::path& path, const fs::path& folder) {
  const fs::path relative = path.lexically_relative(folder);
  return relative.empty() || *relative.begin() == ".." ? path : relative;
}

/// The account of open_data() counts as out what it hands on; here that is decided later.
void reopen(const ReadySet& ready, const std::vector<std::string>& wanted, Conversion& account) {
  account.pictures.out = account.boxes.out = 0;
  account.splits.clear();
  const bool val_is_train = std::exchange(account.val_is_train, false);
  for (const auto& [split, images] : ready.splits) {
    if (split == "val" && val_is_train) continue;
    const bool used = wanted.empty() ? split == "train" || split == "val" || split == "test"
                                     : text::contains(wanted, split);
    for (const ReadyImage& image : images) {
      account.annotations.out -= image.annotated ? 1 : 0;
      if (used) continue;
      account.drop({"image", image.picture, 0, image.labels.labels.size(),
                    fmt::format("its split is '{}'", text::printable(split))});
      account.annotations.dropped += image.annotated ? 1 : 0;
      for (const Problem& row : image.labels.dropped)
        account.drop({"box", row.file, row.line, 1, row.reason});
    }
  }
}

/// The splits to read, the one whose images stay first: val before train, test before val.
std::vector<std::string> splits_of(const Description& description, const GatherOptions& options,
                                   bool val_is_train) {
  std::vector<std::string> splits;
  for (const char* split : {"test", "val", "train"}) {
    if (description.split(split).empty()) continue;
    if (options.splits.empty() || text::contains(options.splits, split)) splits.emplace_back(split);
  }
  if (val_is_train && text::contains(splits, "train")) std::erase(splits, "val");
  if (splits.empty())
    throw Error(fmt::format(
        "{}: expected one of the splits {}, found none of them", description.file.string(),
        options.splits.empty() ? "train, val, test" : text::join(options.splits, ", ")));
  return splits;
}

fs::path home_of(const Description& description) {
  const fs::path place = whole_path(description.file);
  std::error_code error;
  return fs::is_directory(place, error) ? place : place.parent_path();
}

Description open(const fs::path& data, const GatherOptions& options, GatheredSet& set) {
  OpenDataOptions opening;
  opening.threads = options.threads;
  opening.stop = options.stop;
  opening.account = &set.account;
  Description description = open_data(data.string(), opening);
  if (!options.out.empty()) require_outside(options.out, description);
  set.names = description.names;
  set.key_points = key_point_shape(description);
  set.has_label_files = description.ready == nullptr;
  if (set.account.from.empty()) set.account.from = "yolo";
  set.account.source = data;
  set.account.to = "yolo";
  return description;
}

/// What stands beside label files and does not come along.
void note_side_file(const fs::path& home, Conversion& account) {
  std::error_code error;
  if (fs::exists(home / yolo_side_file, error))
    account.notes.push_back({home / yolo_side_file, 0,
                             "what it keeps beside the labels is not taken along; `yolov7 dataset "
                             "convert` reads it"});
}

}  // namespace

GatheredSet gather_set(const fs::path& data, const GatherOptions& options) {
  GatheredSet set;
  const Description description = open(data, options, set);
  const bool val_is_train =
      description.ready ? set.account.val_is_train
                        : !description.train.empty() && description.val == description.train;
  const std::vector<std::string> splits = splits_of(description, options, val_is_train);
  const fs::path home = home_of(description);
  if (description.ready)
    reopen(*description.ready, splits, set.account);
  else
    note_side_file(home, set.account);
  IndexOptions reading;
  reading.threads = options.threads;
  reading.stop = options.stop;
  std::map<std::string, std::string> seen;  // path → split
  for (const std::string& split : splits) {
    Index index = read_index(description, split, reading);
    take_problems(index, set.has_label_files, set.account);
    if (set.has_label_files) count_in(index, set.account);
    for (Entry& entry : index.entries) {
      entry.picture = whole_path(entry.picture);
      const auto [known, fresh] = seen.emplace(entry.picture.string(), split);
      GatheredImage image{std::move(entry), split, 0, {}};
      image.relative = relative_to(image.entry.picture, home);
      if (fresh)
        set.images.push_back(std::move(image));
      else
        leave_out(image, fmt::format("it is in {}, too, and stays there", known->second),
                  set.account);
    }
  }
  const auto place = [](const std::string& split) {
    return split == "train" ? 0 : split == "val" ? 1 : 2;
  };
  std::stable_sort(set.images.begin(), set.images.end(),
                   [&](const GatheredImage& a, const GatheredImage& b) {
                     return place(a.split) < place(b.split);
                   });
  return set;
}

void leave_out(const GatheredImage& image, const std::string& reason, Conversion& account) {
  account.drop({"image", image.entry.picture, 0, image.entry.labels.size(), reason});
  account.annotations.dropped += image.entry.has_label_file ? 1 : 0;
}

}  // namespace yolov7::dataset
