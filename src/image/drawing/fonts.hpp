#pragma once
// The fonts of this machine, each opened when a character is looked for that those before it lack:
// the one that YOLOV7_FONT names, the one that is delivered with the program, then those in the
// usual folders.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <unordered_map>
#include <vector>

struct FT_FaceRec_;
struct FT_LibraryRec_;

namespace yolov7 {

/// The order in which fonts are tried: upright sans-serif faces of usual weight before all others,
/// Noto before DejaVu. Without the files whose characters are all placeholders.
std::vector<std::filesystem::path> font_files(const std::vector<std::filesystem::path>& folders);

/// Not thread-safe.
class Fonts {
 public:
  using Face = FT_FaceRec_*;
  /// `first`: files that are tried before the others, in this order. Error: one of them cannot be
  /// read as a scalable font.
  Fonts(const std::vector<std::filesystem::path>& first,
        std::vector<std::filesystem::path> further);
  Fonts(const Fonts&) = delete;
  Fonts& operator=(const Fonts&) = delete;
  ~Fonts();

  /// The first font that has the character, if there is one.
  std::optional<std::size_t> find(char32_t c);
  bool has(std::size_t font, char32_t c) const;
  Face face(std::size_t font) const { return faces_[font]; }
  std::size_t opened() const { return faces_.size(); }

 private:
  Face open(const std::filesystem::path& file);
  FT_LibraryRec_* library_ = nullptr;
  std::vector<Face> faces_;
  std::vector<std::filesystem::path> further_;
  std::size_t next_ = 0;  // of further_, not opened yet
  std::unordered_map<char32_t, std::optional<std::size_t>> found_;
};

/// YOLOV7_FONT and the delivered font, then what the usual folders hold. Error: none of them is
/// there.
std::vector<std::filesystem::path> first_fonts();
std::vector<std::filesystem::path> font_folders();

}  // namespace yolov7
