#include "image/drawing/fonts.hpp"

#include <fmt/format.h>
#include <ft2build.h>
#include FT_FREETYPE_H

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "core/builtin.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7 {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t most_files = 2000, most_kept = 65536;
constexpr const char* delivered = "fonts/DejaVuSans.ttf";

bool contains_one_of(const std::string& name, std::initializer_list<const char*> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](const char* word) { return name.find(word) != std::string::npos; });
}

/// Less is better.
int rank_of(const fs::path& file) {
  const std::string name = text::lower(file.stem().string());
  int rank = name.starts_with("notosans")      ? 0
             : name.starts_with("dejavusans")  ? 1
             : contains_one_of(name, {"sans"}) ? 2
                                               : 3;
  if (contains_one_of(name, {"bold", "italic", "oblique", "light", "thin", "black", "medium",
                             "condensed", "narrow", "mono", "serif", "heavy"}))
    rank += 4;
  return rank;
}

bool is_font(const fs::path& file) {
  const std::string extension = text::lower(file.extension().string()),
                    name = text::lower(file.stem().string());
  return text::contains({".ttf", ".otf", ".ttc", ".otc"}, extension) &&
         !contains_one_of(name, {"lastresort", "adobeblank", "notdef"});
}

}  // namespace

std::vector<fs::path> font_files(const std::vector<fs::path>& folders) {
  std::vector<std::pair<int, fs::path>> found;
  for (const fs::path& folder : folders) {
    std::error_code failed;
    fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied,
                                        failed);
    for (; !failed && at != fs::recursive_directory_iterator(); at.increment(failed))
      if (is_font(at->path())) found.emplace_back(rank_of(at->path()), at->path());
  }
  std::sort(found.begin(), found.end());
  if (found.size() > most_files) found.resize(most_files);
  std::vector<fs::path> files;
  for (auto& [rank, file] : found) files.push_back(std::move(file));
  return files;
}

std::vector<fs::path> font_folders() {
  std::vector<fs::path> folders = {"/usr/share/fonts", "/usr/local/share/fonts"};
  const auto add = [&](const char* variable, const char* below) {
    const char* value = std::getenv(variable);
    if (value != nullptr && *value == '/') folders.push_back(fs::path(value) / below);
  };
  add("XDG_DATA_HOME", "fonts");
  add("HOME", ".local/share/fonts");
  add("HOME", ".fonts");
  return folders;
}

std::vector<fs::path> first_fonts() {
  std::vector<fs::path> first;
  if (const char* named = std::getenv("YOLOV7_FONT"); named != nullptr && *named != '\0')
    first.emplace_back(named);
  std::error_code failed;
  if (const fs::path own = delivered_file(delivered); fs::exists(own, failed)) first.push_back(own);
  return first;
}

Fonts::Fonts(const std::vector<fs::path>& first, std::vector<fs::path> further)
    : further_(std::move(further)) {
  if (FT_Init_FreeType(&library_) != 0) throw Error("FreeType cannot be started");
  for (const fs::path& file : first) {
    if (open(file) != nullptr) continue;
    FT_Done_FreeType(library_);
    throw Error(fmt::format("{}: expected a scalable font (YOLOV7_FONT names one), found {}",
                            file.string(), fs::exists(file) ? "something else" : "no such file"));
  }
  if (!find('a')) {
    FT_Done_FreeType(library_);
    throw Error(
        fmt::format("text cannot be drawn: expected a font in {}, in {} or named by "
                    "YOLOV7_FONT, found none",
                    delivered_file(delivered).string(), font_folders().front().string()));
  }
}

Fonts::~Fonts() { FT_Done_FreeType(library_); }

Fonts::Face Fonts::open(const fs::path& file) {
  Face face = nullptr;
  if (FT_New_Face(library_, file.c_str(), 0, &face) != 0) return nullptr;
  if (!FT_IS_SCALABLE(face) || face->charmap == nullptr) {
    FT_Done_Face(face);
    return nullptr;
  }
  faces_.push_back(face);
  return face;
}

bool Fonts::has(std::size_t font, char32_t c) const {
  return FT_Get_Char_Index(faces_[font], c) != 0;
}

std::optional<std::size_t> Fonts::find(char32_t c) {
  if (const auto known = found_.find(c); known != found_.end()) return known->second;
  std::optional<std::size_t> font;
  for (std::size_t i = 0; i < faces_.size() && !font; ++i)
    if (has(i, c)) font = i;
  while (!font && next_ < further_.size())
    if (open(further_[next_++]) != nullptr && has(faces_.size() - 1, c)) font = faces_.size() - 1;
  if (found_.size() >= most_kept) found_.clear();
  return found_[c] = font;
}

}  // namespace yolov7
