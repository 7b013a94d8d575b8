#include "dataset/formats/splits.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "dataset/split/assignment.hpp"

namespace yolov7::dataset {
namespace {

/// Whether `word` is `stem`, alone or followed by a year or such: train2017, test-dev2017, val_2.
bool is_variant(std::string_view word, std::string_view stem) {
  if (!word.starts_with(stem)) return false;
  std::string rest(word.substr(stem.size()));
  if (rest == "ing" || rest == "s") return true;
  if (const auto dev = rest.find("dev"); dev != std::string::npos) rest.erase(dev, 3);
  return rest.find_first_not_of("0123456789-_") == std::string::npos;
}

}  // namespace

std::string split_name(std::string_view written) {
  const std::string word = text::lower(text::trim(written));
  if (is_variant(word, "train")) return "train";
  for (const char* stem : {"val", "valid", "validation", "validate"})
    if (is_variant(word, stem)) return "val";
  if (is_variant(word, "test")) return "test";
  for (const char* nothing : {"default", "all", "data", "images", "labels", "annotations"})
    if (word == nothing) return "";
  return std::string(text::trim(written));
}

std::string split_of_folders(const std::filesystem::path& relative) {
  std::string found;
  for (const auto& part : relative.parent_path())
    if (const std::string split = split_name(part.string());
        split == "train" || split == "val" || split == "test")
      found = split;
  return found;
}

std::string split_of_file(const std::filesystem::path& relative) {
  std::string stem = relative.stem().string();
  for (char& c : stem)
    if (c == '-' || c == '.' || c == ' ') c = '_';
  for (const std::string_view part : text::split(stem, '_'))
    if (const std::string split = split_name(part);
        split == "train" || split == "val" || split == "test")
      return split;
  return split_of_folders(relative);
}

std::vector<double> parse_shares(const std::string& text, const std::string& option) {
  const auto fail = [&] {
    return usage_error(
        fmt::format("{}: expected the shares of train, val and test in percent with the sum 100, "
                    "as in 70,20,10, found '{}'",
                    setting_name(option), text));
  };
  std::vector<double> shares;
  double sum = 0;
  for (const std::string_view part : text::split(text, ',')) {
    const auto share = text::parse_double(text::trim(part));
    if (!share || !(*share >= 0 && *share <= 100)) throw fail();
    shares.push_back(*share);
    sum += *share;
  }
  if (shares.size() < 2 || shares.size() > 3 || std::abs(sum - 100) > 1e-6) throw fail();
  return shares;
}

void draw_splits(std::vector<AnnotatedImage>& images, const std::vector<double>& shares,
                 std::uint64_t seed) {
  std::vector<AnnotatedImage*> usable;
  for (AnnotatedImage& image : images)
    if (image.fault.empty()) usable.push_back(&image);
  const std::vector<int> parts =
      draw_parts(usable.size(), shares.empty() ? std::vector<double>{100} : shares, seed);
  for (std::size_t i = 0; i < usable.size(); ++i)
    usable[i]->split = split_names[static_cast<std::size_t>(parts[i])];
}

}  // namespace yolov7::dataset
