#include "core/output_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/json.hpp"
#include "core/text.hpp"

namespace yolov7 {

namespace fs = std::filesystem;

namespace {

bool all_digits(std::string_view s) {
  return !s.empty() && s.find_first_not_of("0123456789") == std::string_view::npos;
}

/// "clip" of "clip_17": what numbered results of that stem could be called too.
std::optional<std::string> before_number(const std::string& name) {
  const std::size_t at = name.rfind('_');
  if (at == std::string::npos) return std::nullopt;
  const std::string_view number = std::string_view(name).substr(at + 1);
  if (!all_digits(number) || (number.size() > 1 && number[0] == '0')) return std::nullopt;
  return name.substr(0, at);
}

fs::path absolute_folder(const fs::path& folder) {
  fs::path result = fs::absolute(folder.empty() ? fs::path(".") : folder).lexically_normal();
  if (!result.has_filename()) result = result.parent_path();
  return result;
}

}  // namespace

bool OutputNames::free(const std::string& name, Results results) const {
  if (results == Results::numbered) return !numbered_.contains(name) && !prefixes_.contains(name);
  if (single_.contains(name)) return false;
  const auto prefix = before_number(name);
  return !prefix || !numbered_.contains(*prefix);
}

std::string OutputNames::take(const std::string& stem, Results results, std::string_view suffix) {
  std::string name = stem + std::string(suffix);
  std::size_t& next = next_[name];
  if (next == 0) next = 2;
  while (!free(name, results)) name = fmt::format("{}_{}{}", stem, next++, suffix);
  if (results == Results::numbered) {
    numbered_.insert(name);
  } else {
    single_.insert(name);
    if (const auto prefix = before_number(name)) prefixes_.insert(*prefix);
  }
  return name;
}

std::string numbered_name(const std::string& stem, std::size_t number) {
  return fmt::format("{}_{}", stem, number);
}

fs::path common_folder(std::span<const fs::path> folders) {
  if (folders.empty()) return {};
  fs::path common = absolute_folder(folders[0]);
  for (const fs::path& folder : folders.subspan(1)) {
    const fs::path other = absolute_folder(folder);
    if (other == common) continue;
    const auto end = std::mismatch(common.begin(), common.end(), other.begin(), other.end()).first;
    fs::path shorter;
    for (auto part = common.begin(); part != end; ++part) shorter /= *part;
    common = shorter;
  }
  return common;
}

fs::path below(const fs::path& common, const fs::path& folder) {
  const fs::path way = absolute_folder(folder).lexically_relative(common);
  return way == "." ? fs::path() : way;
}

std::vector<fs::path> result_stems(std::span<const fs::path> files) {
  std::unordered_set<std::string> seen;
  const bool distinct = std::all_of(files.begin(), files.end(), [&](const fs::path& file) {
    return seen.insert(file.stem().string()).second;
  });
  std::vector<fs::path> folders, stems;
  if (!distinct)
    for (const fs::path& file : files) folders.push_back(file.parent_path());
  const fs::path common = common_folder(folders);
  OutputNames names;
  for (const fs::path& file : files) {
    const fs::path folder = distinct ? fs::path() : below(common, file.parent_path());
    stems.emplace_back(names.take((folder / file.stem()).generic_string()));
  }
  return stems;
}

namespace {

/// What a source's id would be by its name alone.
struct OwnId {
  std::string key;      // equal keys would be one id
  bool number = false;  // of a stem that is all digits
};

OwnId own_id(const IdSource& source) {
  const std::string stem = source.file.stem().string();
  if (source.results == Results::one && all_digits(stem))
    if (const auto number = text::parse_int(stem)) return {std::to_string(*number), true};
  return {stem, false};
}

/// The first of the earlier sources whose ids meet those of `key`.
std::size_t partner(std::span<const IdSource> earlier, const std::string& key, Results results) {
  for (std::size_t i = 0; i < earlier.size(); ++i) {
    const std::string other = own_id(earlier[i]).key;
    const bool same_kind = earlier[i].results == results;
    const auto frame = before_number(results == Results::one ? key : other);
    if (same_kind ? other == key : frame && *frame == (results == Results::one ? other : key))
      return i;
  }
  return 0;
}

}  // namespace

ImageIds image_ids(std::span<const IdSource> sources) {
  ImageIds result;
  OutputNames names;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const OwnId own = own_id(sources[i]);
    if (names.take(own.key, sources[i].results) != own.key) {
      result.shared = {partner(sources.first(i), own.key, sources[i].results), i};
      break;
    }
    const bool plain = own.number || sources[i].results == Results::numbered;
    result.ids.push_back(plain ? own.key : json_text(own.key));
  }
  if (!result.shared) return result;
  result.ids.clear();
  for (std::size_t i = 1; i <= sources.size(); ++i) result.ids.push_back(std::to_string(i));
  return result;
}

std::string frame_image_id(const std::string& id, std::size_t number) {
  return json_text(numbered_name(id, number));
}

}  // namespace yolov7
