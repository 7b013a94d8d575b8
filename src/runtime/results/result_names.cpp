#include "runtime/results/result_names.hpp"

#include <fmt/format.h>

#include <map>

#include "core/output_names.hpp"
#include "core/text.hpp"
#include "image/codec/codec.hpp"

namespace yolov7::runtime {

namespace fs = std::filesystem;

namespace {

Results results_of(const SourceNames& one) {
  return one.kind == FrameKind::picture ? Results::one : Results::numbered;
}

std::string without_suffix(const fs::path& path) {
  return (path.parent_path() / path.stem()).generic_string();
}

}  // namespace

fs::path label_file(const fs::path& stem) { return fs::path("labels") / (stem.string() + ".txt"); }

ResultNames::ResultNames(const SourceList& sources) {
  const auto add = [&](FrameKind kind, const std::string& source, const fs::path& relative) {
    by_relative_.emplace(relative.string(), all_.size());
    relatives_.push_back(relative);
    all_.push_back({kind, without_credentials(source), {}, {}, {}, {}});
  };
  for (const SourcePicture& one : sources.pictures)
    add(FrameKind::picture, one.path.string(), one.relative);
  for (const SourceVideo& one : sources.videos) add(FrameKind::video, one.source, one.relative);
  for (const SourceVideo& one : sources.streams) add(FrameKind::stream, one.source, one.relative);
  name_annotated();
  name_stems();
  name_tracks();
  name_ids();
}

void ResultNames::name_annotated() {
  OutputNames names;
  for (std::size_t i = 0; i < all_.size(); ++i) {
    fs::path path = relatives_[i];
    // The folder of the crops is theirs alone.
    if (path.has_parent_path() && *path.begin() == "crops")
      path = "crops_2" / path.lexically_relative("crops");
    std::string suffix = path.extension().string();
    if (all_[i].kind == FrameKind::picture && !is_writable_name(path))
      suffix += ".jpg";  // formats that are read only
    all_[i].annotated = names.take(without_suffix(path), Results::one, suffix);
  }
}

void ResultNames::name_stems() {
  OutputNames names;
  std::size_t renamed = 0, first = 0;
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const std::string own = without_suffix(relatives_[i]);
    all_[i].stem = names.take(own, results_of(all_[i]));
    if (all_[i].stem != own && renamed++ == 0) first = i;
  }
  if (renamed > 0)
    stems_told_apart_ = fmt::format(
        "the names of {} of {} sources, without their suffix, are taken by another source; a "
        "number is appended for their label files and crops: {} for {}{}",
        renamed, all_.size(), all_[first].stem.string(), all_[first].source,
        renamed > 1 ? ", ..." : "");
}

void ResultNames::name_tracks() {
  OutputNames names;
  std::map<fs::path, fs::path> of_folder;
  for (std::size_t i = 0; i < all_.size(); ++i) {
    const fs::path folder = relatives_[i].parent_path();
    if (all_[i].kind != FrameKind::picture) {
      all_[i].tracks =
          fs::path("tracks") / names.take(without_suffix(relatives_[i]), Results::one, ".txt");
      continue;
    }
    auto [known, fresh] = of_folder.try_emplace(folder);
    if (fresh)
      known->second = fs::path("tracks") /
                      names.take((folder / "pictures").generic_string(), Results::one, ".txt");
    all_[i].tracks = known->second;
  }
}

void ResultNames::name_ids() {
  std::vector<IdSource> sources;
  for (std::size_t i = 0; i < all_.size(); ++i)
    sources.push_back({relatives_[i], results_of(all_[i])});
  const ImageIds ids = image_ids(sources);
  for (std::size_t i = 0; i < all_.size(); ++i) all_[i].image_id = ids.ids[i];
  if (ids.shared)
    ids_are_numbers_ = fmt::format(
        "{} and {} would share an image id, so the image ids are 1 to {} in the order of the "
        "sources (videos: the number and the frame's)",
        all_[ids.shared->first].source, all_[ids.shared->second].source, all_.size());
}

const SourceNames& ResultNames::of(const Frame& frame) const {
  return all_[by_relative_.at(frame.origin->relative.string())];
}

fs::path ResultNames::item(const Frame& frame) const {
  const SourceNames& one = of(frame);
  if (one.kind == FrameKind::picture) return one.stem;
  return numbered_name(one.stem.string(), frame.number);
}

fs::path ResultNames::labels(const Frame& frame) const { return label_file(item(frame)); }

fs::path ResultNames::crop(const Frame& frame, const std::string& class_folder,
                           std::size_t number) const {
  return fs::path("crops") / class_folder / fmt::format("{}-{}.jpg", item(frame).string(), number);
}

std::string ResultNames::image_id(const Frame& frame) const {
  const SourceNames& one = of(frame);
  return one.kind == FrameKind::picture ? one.image_id : frame_image_id(one.image_id, frame.number);
}

}  // namespace yolov7::runtime
