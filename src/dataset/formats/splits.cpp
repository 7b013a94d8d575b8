#include "dataset/formats/splits.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"

namespace yolov7::dataset {
namespace {

/// Whether `word` is `stem`, alone or followed by a year or such: train2017, test-dev2017, val_2.
bool is_variant(std::string_view word, std::string_view stem) {
  if (!word.starts_with(stem)) return false;
  const std::string_view rest = word.substr(stem.size());
  return rest.empty() || rest == "ing" || rest == "s" ||
         rest.find_first_not_of("0123456789-_dev") == std::string_view::npos;
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

std::vector<double> parse_shares(const std::string& text) {
  const auto fail = [&] {
    return usage_error(
        fmt::format("{}: expected the shares of train, val and test in percent with the sum 100, "
                    "as in 70,20,10, found '{}'",
                    setting_name("split"), text));
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
  constexpr std::uint32_t split_operation = 0x73706C74;  // a stream of its own
  std::vector<AnnotatedImage*> usable;
  for (AnnotatedImage& image : images)
    if (image.fault.empty()) usable.push_back(&image);
  const std::vector<std::size_t> order =
      Random(seed, 0, 0, split_operation).permutation(usable.size());
  const double count = static_cast<double>(usable.size());
  const double train = shares.empty() ? 100 : shares[0], val = shares.empty() ? 0 : shares[1];
  const auto first_val = static_cast<std::size_t>(std::llround(count * train / 100));
  const auto first_test = static_cast<std::size_t>(std::llround(count * (train + val) / 100));
  for (std::size_t k = 0; k < order.size(); ++k)
    usable[order[k]]->split = k < first_val ? "train" : k < first_test ? "val" : "test";
}

}  // namespace yolov7::dataset
