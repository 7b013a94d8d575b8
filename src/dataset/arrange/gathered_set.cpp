#include "dataset/arrange/gathered_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <system_error>

#include "core/error.hpp"
#include "core/text.hpp"
#include "core/value.hpp"
#include "dataset/index/read_index.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

/// A path that holds from any folder, without "." and ".." where that names the same file.
fs::path whole_path(const fs::path& path) {
  const fs::path whole = fs::absolute(path), normal = whole.lexically_normal();
  std::error_code error;
  return fs::equivalent(whole, normal, error) && !error ? normal : whole;
}

/// What an index lost: whole images, rows, and label files without an image.
void take_losses(const Index& index, Conversion& account) {
  const auto starts = [](const Problem& one, const char* text) {
    return one.reason.starts_with(text);
  };
  std::size_t rows = 0;
  for (const Problem& one : index.problems) {
    const bool image = starts(one, "ignoring corrupted image") || starts(one, "not looked at") ||
                       one.reason.find("(ignoring corrupted label") != std::string::npos;
    const bool orphan = starts(one, "label file without an image");
    account.drop({image    ? "image"
                  : orphan ? "annotation"
                           : "box",
                  one.file, one.line, image || orphan ? std::size_t{0} : std::size_t{1},
                  one.reason});
    rows += !image && !orphan ? 1 : 0;
  }
  account.pictures.in += index.entries.size() + index.corrupt + index.unread;
  const auto usable = std::count_if(index.entries.begin(), index.entries.end(),
                                    [](const Entry& entry) { return entry.has_label_file; });
  account.annotations.in += index.found + index.orphan_labels;
  account.annotations.dropped += index.found - static_cast<std::size_t>(usable);
  account.boxes.in += index.label_count() + rows;
  account.notes.insert(account.notes.end(), index.notes.begin(), index.notes.end());
}

fs::path relative_to(const fs::path& path, const fs::path& folder) {
  const fs::path relative = path.lexically_relative(folder);
  return relative.empty() || *relative.begin() == ".." ? path : relative;
}

}  // namespace

GatheredSet gather_set(const fs::path& data, const GatherOptions& options) {
  const Description description = read_description(data);
  GatheredSet set;
  set.account.source = data;
  set.names = description.names;
  const Value document = read_yaml(data);
  if (const Value* shape = document.find("kpt_shape"); shape != nullptr && !shape->is_null())
    set.key_points = yaml_flow(*shape);
  const fs::path home = whole_path(data).parent_path();
  IndexOptions reading;
  reading.threads = options.threads;
  reading.stop = options.stop;
  std::map<std::string, std::string> seen;  // path → split
  std::set<fs::path> folders;
  for (const char* split : {"test", "val", "train"}) {
    if (description.split(split).empty()) continue;
    if (!options.splits.empty() && !text::contains(options.splits, split)) continue;
    Index index = read_index(description, split, reading);
    take_losses(index, set.account);
    for (Entry& entry : index.entries) {
      entry.picture = whole_path(entry.picture);
      const auto [known, fresh] = seen.emplace(entry.picture.string(), split);
      GatheredImage image{std::move(entry), split, 0, {}};
      image.relative = relative_to(image.entry.picture, home);
      if (!fresh) {
        leave_out(image, fmt::format("it is in {}, too, and stays there", known->second),
                  set.account);
        continue;
      }
      folders.insert(image.entry.picture.parent_path());
      folders.insert(label_path(image.entry.picture).parent_path());
      set.images.push_back(std::move(image));
    }
  }
  if (set.images.empty())
    throw Error(fmt::format(
        "{}: expected one of the splits {}, found none of them", data.string(),
        options.splits.empty() ? "train, val, test" : text::join(options.splits, ", ")));
  const auto place = [](const std::string& split) {
    return split == "train" ? 0 : split == "val" ? 1 : 2;
  };
  std::stable_sort(set.images.begin(), set.images.end(),
                   [&](const GatheredImage& a, const GatheredImage& b) {
                     return place(a.split) < place(b.split);
                   });
  set.folders.assign(folders.begin(), folders.end());
  return set;
}

void leave_out(const GatheredImage& image, const std::string& reason, Conversion& account) {
  account.drop({"image", image.entry.picture, 0, image.entry.labels.size(), reason});
  account.annotations.dropped += image.entry.has_label_file ? 1 : 0;
}

}  // namespace yolov7::dataset
