#include "dataset/formats/voc_lists.hpp"

#include <fmt/format.h>

#include <map>

#include "core/encoding.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "image/codec/codec.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

/// Lists of one devkit folder by their stem.
using Lists = std::map<std::string, fs::path>;
using ItemsByName = std::map<std::string, std::vector<VocItem*>>;

bool split_list(const fs::path& path) {
  const std::string name = path.filename().string();
  return name == "train.txt" || name == "val.txt" || name == "test.txt" || name == "trainval.txt";
}

/// The folder above ImageSets → its lists.
std::map<fs::path, Lists> find_lists(const VocFiles& files) {
  std::map<fs::path, Lists> in_main, direct;
  for (const fs::path& list : files.lists) {
    if (!split_list(list)) continue;
    const fs::path folder = list.parent_path();
    if (folder.filename() == "Main" && folder.parent_path().filename() == "ImageSets")
      in_main[folder.parent_path().parent_path()][list.stem().string()] = list;
    else if (folder.filename() == "ImageSets")
      direct[folder.parent_path()][list.stem().string()] = list;
  }
  in_main.merge(direct);  // keeps what in_main has
  return in_main;
}

bool below(const fs::path& path, const fs::path& folder) {
  if (folder.empty()) return true;
  const fs::path relative = path.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

ItemsByName items_below(const fs::path& folder, const VocFiles& files,
                        std::vector<VocItem>& items) {
  ItemsByName result;
  for (VocItem& item : items)
    if (below(item.file, folder)) result[item.file.stem().string()].push_back(&item);
  for (VocItem& item :
       items) {  // a list may name pictures instead; annotations of that name come first
    if (!item.picture || !below(item.file, folder)) continue;
    const std::string stem = files.pictures[*item.picture].stem().string();
    if (stem != item.file.stem() && !result.contains(stem)) result[stem].push_back(&item);
  }
  return result;
}

std::string without_extension(const std::string& name) {
  const fs::path path(name);
  return path.extension() == ".xml" || is_picture_name(path) ? path.stem().string() : name;
}

/// A line is a name, or a name and a -1, 0 or 1 as in the lists by class.
const std::vector<VocItem*>* find_listed(std::string_view line, const ItemsByName& names) {
  const auto look_up = [&](std::string_view name) {
    const auto found = names.find(without_extension(base_name(name)));
    return found == names.end() ? nullptr : &found->second;
  };
  if (const auto* found = look_up(line)) return found;
  const auto gap = line.find_last_of(" \t");
  if (gap == std::string_view::npos) return nullptr;
  const std::string_view flag = line.substr(gap + 1);
  return flag == "-1" || flag == "0" || flag == "1" ? look_up(text::trim(line.substr(0, gap)))
                                                    : nullptr;
}

void apply_list(const fs::path& list, const std::string& split, const VocFiles& files,
                const ItemsByName& names, std::vector<Problem>& notes) {
  int number = 0;
  const std::string content = text::as_utf8(file::read(files.root / list, 1u << 30), list.string());
  for (const std::string_view raw : text::lines(content)) {
    ++number;
    const std::string_view line = text::trim(raw);
    if (line.empty()) continue;
    const auto* found = find_listed(line, names);
    if (found == nullptr) {
      notes.push_back({list, number, fmt::format("'{}' has no annotation", line)});
      continue;
    }
    for (VocItem* item : *found) {
      if (item->split.empty())
        item->split = split;
      else if (item->split != split)
        notes.push_back({list, number,
                         fmt::format("'{}' is already in {} and stays there", line, item->split)});
    }
  }
}

}  // namespace

bool assign_listed_splits(const VocFiles& files, std::vector<VocItem>& items,
                          std::vector<Problem>& notes) {
  const auto all_lists = find_lists(files);
  for (const auto& [folder, lists] : all_lists) {
    const ItemsByName names = items_below(folder, files, items);
    for (const char* split : {"train", "val", "test"})
      if (const auto list = lists.find(split); list != lists.end())
        apply_list(list->second, split, files, names, notes);
    const auto both = lists.find("trainval");
    if (both != lists.end() && !lists.contains("train") && !lists.contains("val"))
      apply_list(both->second, "train", files, names, notes);
  }
  return !all_lists.empty();
}

}  // namespace yolov7::dataset
