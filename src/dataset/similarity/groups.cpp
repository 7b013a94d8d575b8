#include "dataset/similarity/groups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>
#include <unordered_map>

#include "core/error.hpp"
#include "core/text.hpp"
#include "dataset/formats/splits.hpp"

namespace yolov7::dataset::similarity {

Groups::Groups(std::size_t count) : parent_(count), size_(count, 1) {
  std::iota(parent_.begin(), parent_.end(), std::size_t{0});
}

std::size_t Groups::root(std::size_t index) const {
  while (parent_[index] != index) index = parent_[index] = parent_[parent_[index]];
  return index;
}

void Groups::join(std::size_t a, std::size_t b) {
  a = root(a), b = root(b);
  if (a == b) return;
  // The smaller index stays the root: chains are short by halving, and the result has one form.
  if (b < a) std::swap(a, b);
  parent_[b] = a;
  size_[a] += size_[b];
}

void Groups::join_equal(const std::vector<std::string>& keys) {
  std::unordered_map<std::string, std::size_t> first;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].empty()) continue;
    const auto [known, fresh] = first.emplace(keys[i], i);
    if (!fresh) join(known->second, i);
  }
}

std::size_t Groups::of(std::size_t index) const { return root(index); }
std::size_t Groups::size_of(std::size_t index) const { return size_[root(index)]; }

std::vector<std::vector<std::size_t>> Groups::several() const {
  std::map<std::size_t, std::vector<std::size_t>> members;
  for (std::size_t i = 0; i < parent_.size(); ++i)
    if (size_of(i) > 1) members[root(i)].push_back(i);
  std::vector<std::vector<std::size_t>> result;
  for (auto& [first, list] : members) result.push_back(std::move(list));
  return result;
}

std::vector<std::size_t> Groups::all() const {
  std::vector<std::size_t> result(parent_.size());
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = root(i);
  return result;
}

NamePattern::NamePattern(const std::string& expression, const std::string& option) {
  const auto fail = [&](const std::string& found) {
    return usage_error(fmt::format(
        "{}: expected a regular expression with the group in brackets, as in '^(patient\\d+)_', "
        "found '{}'{}",
        option, expression, found));
  };
  try {
    expression_ = std::regex(expression, std::regex::ECMAScript | std::regex::optimize);
  } catch (const std::regex_error& error) {
    throw fail(fmt::format(": {}", error.what()));
  }
  if (expression_.mark_count() == 0) throw fail(", which has no bracket");
}

std::optional<std::string> NamePattern::group_of(const std::filesystem::path& path) const {
  constexpr std::size_t longest = 4096;  // the library's matching is recursive
  const std::string text = path.generic_string();
  std::smatch match;
  if (text.size() > longest || !std::regex_search(text, match, expression_)) return std::nullopt;
  const std::string group = match[1].str();
  if (group.empty()) return std::nullopt;
  return group;
}

namespace {

constexpr const char* video_endings[] = {"mp4", "mov", "avi", "mkv", "webm", "m4v", "mpg", "mpeg"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_separator(char c) { return c == '_' || c == '-' || c == '.' || c == ' '; }

/// What stands before the name of a video's kind, with it.
std::string before_video(const std::string& stem) {
  const std::string low = text::lower(stem);
  for (const char* ending : video_endings)
    for (const char* separator : {"_", "."}) {
      const std::string word = separator + std::string(ending);
      const std::size_t at = low.find(word);
      if (at == std::string::npos || at == 0) continue;
      const std::size_t end = at + word.size();
      if (end == low.size() || is_separator(low[end])) return stem.substr(0, end);
    }
  return "";
}

/// Without the last run of digits and what separates it, or nothing where there is none.
std::optional<std::string> before_number(std::string stem) {
  while (!stem.empty() && !is_digit(stem.back())) stem.pop_back();
  if (stem.empty()) return std::nullopt;
  while (!stem.empty() && is_digit(stem.back())) stem.pop_back();
  while (!stem.empty() && is_separator(stem.back())) stem.pop_back();
  return stem;
}

}  // namespace

std::string video_of(const std::filesystem::path& path) {
  std::string stem = path.stem().string();
  if (const std::size_t export_mark = stem.find(".rf."); export_mark != std::string::npos)
    stem.resize(export_mark);
  std::string name = before_video(stem);
  if (name.empty()) {
    const auto prefix = before_number(stem);
    if (!prefix) return "";
    name = *prefix;
  }
  std::string folders;
  for (const auto& part : path.parent_path()) {
    const std::string split = split_name(part.string());
    if (split.empty() || split == "train" || split == "val" || split == "test" || part == "." ||
        part == "..")
      continue;
    folders += part.string() + "/";
  }
  return folders.empty() && name.empty() ? "" : folders + name;
}

}  // namespace yolov7::dataset::similarity
