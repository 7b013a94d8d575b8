#include "dataset/formats/voc_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <system_error>
#include <unordered_map>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "image/codec/codec.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

bool inside(const fs::path& path, const fs::path& canonical_root) {
  std::error_code error;
  const fs::path target = fs::canonical(path, error);
  if (error) return false;
  const fs::path relative = target.lexically_relative(canonical_root);
  return !relative.empty() && *relative.begin() != "..";
}

void sort_file(const fs::path& path, VocFiles& files) {
  const fs::path relative = path.lexically_relative(files.root);
  const std::string extension = text::lower(path.extension().string());
  if (extension == ".xml")
    files.annotations.push_back(relative);
  else if (extension == ".txt")
    files.lists.push_back(relative);
  else if (is_picture_name(path))
    files.pictures.push_back(relative);
}

void walk(const fs::path& folder, const fs::path& canonical_root, VocFiles& files) {
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  if (error) files.skipped.push_back({folder, 0, "this folder cannot be read: " + error.message()});
  for (const fs::directory_entry& entry : entries) {
    const fs::path& path = entry.path();
    if (path.filename().native().starts_with('.')) continue;
    const bool link = entry.is_symlink(error);
    if (link && !inside(path, canonical_root))
      files.skipped.push_back(
          {path, 0, "a link that leads outside the source folder is not followed"});
    else if (!link && entry.is_directory(error))
      walk(path, canonical_root, files);
    else if (entry.is_regular_file(error))
      sort_file(path, files);
  }
}

void sort_paths(std::vector<fs::path>& paths) {
  std::sort(paths.begin(), paths.end(),
            [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
}

/// Shared leading folders plus shared trailing folders of the places of two files.
int nearness(const fs::path& a, const fs::path& b) {
  const fs::path fa = a.parent_path(), fb = b.parent_path();
  const std::vector<fs::path> pa(fa.begin(), fa.end()), pb(fb.begin(), fb.end());
  const std::size_t least = std::min(pa.size(), pb.size());
  std::size_t front = 0, back = 0;
  while (front < least && pa[front] == pb[front]) ++front;
  while (back < least - front && pa[pa.size() - 1 - back] == pb[pb.size() - 1 - back]) ++back;
  return static_cast<int>(front + back);
}

class PictureFinder {
 public:
  explicit PictureFinder(const std::vector<fs::path>& pictures) : pictures_(pictures) {
    for (std::size_t i = 0; i < pictures.size(); ++i) {
      by_name_[pictures[i].filename().string()].push_back(i);
      by_stem_[pictures[i].stem().string()].push_back(i);
    }
  }

  /// By <filename>; one without a picture's extension counts as a stem.
  std::optional<std::size_t> by_filename(VocItem& item) const {
    const std::string& name = item.annotation.filename;
    if (name.empty()) return std::nullopt;
    if (const auto found = by_name_.find(name); found != by_name_.end())
      return nearest(found->second, item);
    if (is_picture_name(name)) return std::nullopt;
    const auto found = by_stem_.find(name);
    return found == by_stem_.end() ? std::nullopt : nearest(found->second, item);
  }
  std::optional<std::size_t> by_stem(VocItem& item) const {
    const auto found = by_stem_.find(item.file.stem().string());
    return found == by_stem_.end() ? std::nullopt : nearest(found->second, item);
  }

 private:
  using Places = std::unordered_map<std::string, std::vector<std::size_t>>;

  /// Nothing, with a fault, if two are equally near: a guess could be silently wrong.
  std::optional<std::size_t> nearest(const std::vector<std::size_t>& candidates,
                                     VocItem& item) const {
    const auto rank = [&](std::size_t i) {
      const bool named = pictures_[i].parent_path().filename() == item.annotation.folder;
      return std::pair(nearness(pictures_[i], item.file), named);
    };
    std::size_t best = candidates.front();
    for (const std::size_t i : candidates)
      if (rank(i) > rank(best)) best = i;
    for (const std::size_t i : candidates) {
      if (i == best || rank(i) != rank(best)) continue;
      item.fault = fmt::format("ambiguous picture: {} or {}", pictures_[best].string(),
                               pictures_[i].string());
      return std::nullopt;
    }
    return best;
  }

  const std::vector<fs::path>& pictures_;
  Places by_name_, by_stem_;
};

VocItem read_item(const VocFiles& files, const fs::path& relative) {
  constexpr std::uint64_t most_bytes = 64u << 20;
  VocItem item;
  item.file = relative;
  const std::string source = relative.string();
  try {
    item.annotation = parse_voc(file::read(files.root / relative, most_bytes), source);
  } catch (const Error& error) {
    item.fault = error.what();
    if (item.fault.starts_with(source + ":")) item.fault.erase(0, source.size() + 1);
    item.fault = std::string(text::trim(item.fault));
  }
  return item;
}

void name_missing(VocItem& item) {
  if (!item.fault.empty()) return;
  const std::string& name = item.annotation.filename;
  item.fault =
      fmt::format("no picture: neither '{}' nor one of the stem '{}' lies below the source folder",
                  name.empty() ? "(no <filename>)" : name, item.file.stem().string());
}

}  // namespace

VocFiles find_voc_files(const fs::path& source) {
  std::error_code error;
  if (!fs::is_directory(source, error))
    throw Error(fmt::format("{}: expected a folder with Pascal VOC annotations, found none",
                            source.string()));
  VocFiles files;
  files.root = source;
  walk(source, fs::canonical(source), files);
  for (auto* paths : {&files.annotations, &files.pictures, &files.lists}) sort_paths(*paths);
  return files;
}

std::vector<VocItem> read_annotations(const VocFiles& files, int threads,
                                      const std::stop_token& stop) {
  std::vector<VocItem> items(files.annotations.size());
  parallel_for(items.size(), threads, [&](std::size_t i) {
    check_stop(stop);
    items[i] = read_item(files, files.annotations[i]);
  });
  return items;
}

void assign_pictures(const VocFiles& files, std::vector<VocItem>& items) {
  const PictureFinder finder(files.pictures);
  std::map<std::size_t, std::vector<VocItem*>> claims;
  for (VocItem& item : items) {
    if (!item.fault.empty()) continue;
    auto picture = finder.by_filename(item);
    if (!picture && item.fault.empty()) picture = finder.by_stem(item);
    if (picture)
      claims[*picture].push_back(&item);
    else
      name_missing(item);
  }
  std::map<std::size_t, const VocItem*> owners;
  std::vector<std::pair<std::size_t, VocItem*>> losers;
  for (auto& [picture, claimants] : claims) {
    const fs::path stem = files.pictures[picture].stem();
    const auto same_stem =
        std::find_if(claimants.begin(), claimants.end(),
                     [&](const VocItem* item) { return item->file.stem() == stem; });
    VocItem* owner = same_stem == claimants.end() ? claimants.front() : *same_stem;
    owner->picture = picture;
    owners[picture] = owner;
    for (VocItem* item : claimants)
      if (item != owner) losers.emplace_back(picture, item);
  }
  for (auto& [picture, item] : losers) {
    const auto other = finder.by_stem(*item);
    if (other && owners.emplace(*other, item).second)
      item->picture = *other;
    else if (item->fault.empty())
      item->fault = fmt::format("its picture {} already belongs to {}",
                                files.pictures[picture].string(), owners[picture]->file.string());
  }
}

}  // namespace yolov7::dataset
