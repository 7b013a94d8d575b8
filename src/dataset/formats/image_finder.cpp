#include "dataset/formats/image_finder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/text.hpp"
#include "image/codec/file_kind.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

std::vector<std::string> parts_of(const fs::path& path) {
  std::vector<std::string> parts;
  for (const fs::path& part : path)
    if (part != "/" && part != "." && !part.empty()) parts.push_back(part.string());
  return parts;
}

std::size_t common_end(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  std::size_t count = 0;
  while (count < std::min(a.size(), b.size()) && a[a.size() - 1 - count] == b[b.size() - 1 - count])
    ++count;
  return count;
}

/// Shared leading folders plus shared trailing folders of the places of two files.
std::size_t nearness(const fs::path& a, const fs::path& b) {
  const std::vector<std::string> pa = parts_of(a.parent_path()), pb = parts_of(b.parent_path());
  const std::size_t least = std::min(pa.size(), pb.size());
  std::size_t front = 0;
  while (front < least && pa[front] == pb[front]) ++front;
  return front + std::min(common_end(pa, pb), least - front);
}

int hexadecimal(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string plain_path(std::string_view written) {
  if (const auto scheme = written.find("://"); scheme != std::string_view::npos && scheme < 10) {
    written.remove_prefix(scheme + 3);
    const auto slash = written.find('/');
    written = slash == std::string_view::npos ? std::string_view() : written.substr(slash + 1);
    written = written.substr(0, written.find_first_of("?#"));
  }
  std::string path(written);
  std::replace(path.begin(), path.end(), '\\', '/');
  if (path.size() > 2 && path[1] == ':' && path[2] == '/') path.erase(0, 2);
  return path;
}

std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hexadecimal(text[i + 1]) : -1;
    const int low = high >= 0 ? hexadecimal(text[i + 2]) : -1;
    if (low < 0) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

ImageFinder::ImageFinder(const SourceTree& tree) : tree_(tree) {
  for (std::size_t i = 0; i < tree.images.size(); ++i) {
    const fs::path& path = tree.images[i].relative;
    by_path_.emplace(path.generic_string(), i);
    by_name_[path.filename().string()].push_back(i);
    by_stem_[path.stem().string()].push_back(i);
    by_lower_stem_[text::lower(path.stem().string())].push_back(i);
  }
}

std::optional<std::size_t> ImageFinder::at(const fs::path& relative) const {
  const auto found = by_path_.find(relative.lexically_normal().generic_string());
  return found == by_path_.end() ? std::nullopt : std::optional(found->second);
}

FoundImage ImageFinder::nearest(const std::vector<std::size_t>& candidates, const fs::path& like,
                                const fs::path& annotation, FoundBy by) const {
  const std::vector<std::string> wanted = parts_of(like.parent_path());
  const auto rank = [&](std::size_t i) {
    const fs::path& path = tree_.images[i].relative;
    return std::pair(common_end(parts_of(path.parent_path()), wanted), nearness(path, annotation));
  };
  std::size_t best = candidates.front();
  auto best_rank = rank(best);
  for (const std::size_t i : candidates)
    if (const auto one = rank(i); one > best_rank) best = i, best_rank = one;
  for (const std::size_t i : candidates)
    if (i != best && rank(i) == best_rank)
      return {std::nullopt,
              {},
              fmt::format("ambiguous image: {} or {}", tree_.images[best].relative.string(),
                          tree_.images[i].relative.string()),
              by};
  const char* how = by == FoundBy::name   ? "the name is the same"
                    : by == FoundBy::stem ? "the name is the same, the extension is another one"
                                          : "the name differs in upper and lower case";
  return {best,
          fmt::format("'{}' is {}: {}", text::printable(like.string()),
                      tree_.images[best].relative.string(), how),
          {},
          by};
}

FoundImage ImageFinder::find(std::string_view written, const fs::path& annotation,
                             const std::vector<fs::path>& folders) const {
  const std::string plain = plain_path(written);
  const fs::path like(plain);
  if (plain.empty() || !like.has_filename())
    return {std::nullopt, {}, "no image: no file name is written", FoundBy::path};
  std::vector<fs::path> bases = folders;
  bases.emplace_back();
  if (!like.is_absolute())
    for (const fs::path& base : bases)
      if (const auto found = at(base / like)) return {found, {}, {}, FoundBy::path};
  const std::vector<std::string> parts = parts_of(like);
  for (std::size_t first = 0; first < parts.size(); ++first) {
    fs::path rest;
    for (std::size_t i = first; i < parts.size(); ++i) rest /= parts[i];
    for (const fs::path& base : bases)
      if (const auto found = at(base / rest))
        return {found,
                fmt::format("'{}' is {}: the end of the path is there",
                            text::printable(std::string(written)),
                            tree_.images[*found].relative.string()),
                {},
                FoundBy::end_of_path};
  }
  const auto known = [](const Places& places, const std::string& key) {
    const auto found = places.find(key);
    return found == places.end() ? nullptr : &found->second;
  };
  if (const auto* all = known(by_name_, like.filename().string()))
    return nearest(*all, like, annotation, FoundBy::name);
  const std::string stem = is_picture_name(like) ? like.stem().string() : like.filename().string();
  if (const auto* all = known(by_stem_, stem))
    return nearest(*all, like, annotation, FoundBy::stem);
  if (const auto* all = known(by_lower_stem_, text::lower(stem)))
    return nearest(*all, like, annotation, FoundBy::stem_ignoring_case);
  return {std::nullopt,
          {},
          fmt::format("no image: neither '{}' nor one of its name lies below the source folder",
                      text::printable(std::string(written))),
          FoundBy::path};
}

void ImageFinder::assign(AnnotatedImage& image, const std::vector<fs::path>& folders,
                         std::vector<Problem>& notes) const {
  if (!image.fault.empty()) return;
  FoundImage found = find(image.written, image.annotation, folders);
  image.picture = found.image;
  image.fault = std::move(found.fault);
  image.missing = !image.picture && image.fault.starts_with("no image");
  image.found_by_guess = !found.note.empty();
  if (image.found_by_guess) notes.push_back({image.annotation, image.line, std::move(found.note)});
}

void ImageFinder::assign_by_stem(AnnotatedImage& image, const std::string& stem,
                                 const std::vector<fs::path>& folders,
                                 std::vector<Problem>& notes) const {
  if (!image.fault.empty() && !image.missing) return;
  const auto first_of = [&] {
    for (const fs::path& folder : folders)
      for (const char* extension : {".jpg", ".png", ".jpeg", ".bmp", ".tif", ".webp"})
        if (at(folder / (stem + extension))) return (folder / (stem + extension)).generic_string();
    return stem;
  };
  const std::string name = first_of();
  FoundImage found = find(name, image.annotation, {});
  image.picture = found.image;
  image.missing = !found.image && found.fault.starts_with("no image");
  if (image.missing)
    found.fault = fmt::format("no image: none of the stem '{}' lies below the source folder",
                              text::printable(stem));
  image.fault = std::move(found.fault);
  if (image.written.empty()) image.written = stem;
  image.found_by_guess = found.by == FoundBy::stem_ignoring_case;
  if (image.found_by_guess) notes.push_back({image.annotation, image.line, std::move(found.note)});
}

std::size_t settle_claims(AnnotatedSet& set, const SourceTree& tree, std::vector<Problem>& notes) {
  std::map<std::size_t, std::vector<std::size_t>> claims;
  for (std::size_t i = 0; i < set.images.size(); ++i)
    if (set.images[i].fault.empty() && set.images[i].picture)
      claims[*set.images[i].picture].push_back(i);
  std::vector<bool> joined(set.images.size());
  for (auto& [picture, records] : claims) {
    if (records.size() < 2) continue;
    std::stable_sort(records.begin(), records.end(), [&](std::size_t a, std::size_t b) {
      return !set.images[a].found_by_guess && set.images[b].found_by_guess;
    });
    AnnotatedImage& owner = set.images[records.front()];
    for (std::size_t k = 1; k < records.size(); ++k) {
      AnnotatedImage& other = set.images[records[k]];
      const std::string name = tree.images[picture].relative.string();
      if (other.found_by_guess || other.split != owner.split) {
        other.fault = fmt::format("its image {} already belongs to {}", name,
                                  owner.annotation == other.annotation
                                      ? fmt::format("'{}'", text::printable(owner.written))
                                      : owner.annotation.string());
        continue;
      }
      notes.push_back({other.annotation, other.line,
                       fmt::format("{} stands more than once (first in {}): its objects are joined",
                                   name, owner.annotation.string())});
      for (AnnotatedObject& object : other.objects) owner.objects.push_back(std::move(object));
      if (!other.objects.empty()) owner.state = ImageState::annotated;
      joined[records[k]] = true;
    }
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < set.images.size(); ++i)
    if (!joined[i]) {
      if (kept != i) set.images[kept] = std::move(set.images[i]);
      ++kept;
    }
  const std::size_t count = set.images.size() - kept;
  set.images.erase(set.images.begin() + static_cast<std::ptrdiff_t>(kept), set.images.end());
  return count;
}

}  // namespace yolov7::dataset
