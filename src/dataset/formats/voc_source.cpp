#include "dataset/formats/voc_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/encoding.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "image/codec/codec.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

/// By <filename> or the XML's stem. `lenient`: with another extension, in other letters.
std::optional<std::size_t> look_for(const std::string& name, const ImageFinder& finder,
                                    VocItem& item, bool lenient, std::vector<Problem>& notes) {
  if (name.empty() || !item.fault.empty()) return std::nullopt;
  FoundImage found = finder.find(name, item.file);
  if (found.fault.starts_with("ambiguous") && !item.annotation.folder.empty())
    found = finder.find(base_name(item.annotation.folder) + "/" + name, item.file);
  const bool plain = found.by == FoundBy::path || found.by == FoundBy::end_of_path ||
                     found.by == FoundBy::name ||
                     (found.by == FoundBy::stem && !is_picture_name(name));
  if (!plain && !lenient) return std::nullopt;
  if (found.image) {
    if (!plain) notes.push_back({item.file, 0, std::move(found.note)});
    return found.image;
  }
  if (found.fault.starts_with("ambiguous")) item.fault = std::move(found.fault);
  return std::nullopt;
}

VocItem read_item(const VocFiles& files, const fs::path& relative) {
  constexpr std::uint64_t most_bytes = 64u << 20;
  VocItem item;
  item.file = relative;
  const std::string source = relative.string();
  try {
    item.annotation =
        parse_voc(text::as_utf8(file::read(files.root / relative, most_bytes), source), source);
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
      fmt::format("no image: neither '{}' nor one of the stem '{}' lies below the source folder",
                  name.empty() ? "(no <filename>)" : name, item.file.stem().string());
}

}  // namespace

VocFiles voc_files(const SourceTree& tree) {
  VocFiles files{tree.root, tree.with_extension(".xml"), {}, tree.with_extension(".txt")};
  for (const TreeImage& image : tree.images) files.pictures.push_back(image.relative);
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

void assign_pictures(const VocFiles& files, const ImageFinder& finder, std::vector<VocItem>& items,
                     std::vector<Problem>& notes) {
  std::map<std::size_t, std::vector<VocItem*>> claims;
  for (VocItem& item : items) {
    if (!item.fault.empty()) continue;
    std::optional<std::size_t> picture;
    for (const bool lenient : {false, true})
      for (const std::string& name : {item.annotation.filename, item.file.stem().string()})
        if (!picture) picture = look_for(name, finder, item, lenient, notes);
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
    const auto other = look_for(item->file.stem().string(), finder, *item, false, notes);
    if (other && owners.emplace(*other, item).second)
      item->picture = *other;
    else if (item->fault.empty())
      item->fault = fmt::format("its image {} already belongs to {}",
                                files.pictures[picture].string(), owners[picture]->file.string());
  }
}

}  // namespace yolov7::dataset
