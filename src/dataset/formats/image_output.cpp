#include "dataset/formats/image_output.hpp"

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <set>

#include "core/file.hpp"
#include "core/output_names.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/yolo_layout.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;

std::vector<std::string> image_names(
    const Writing& writing, const std::function<std::string(const std::string&)>& folder_of) {
  std::vector<std::string> all;
  std::map<std::string, OutputNames> names;  // of stems: annotations go by them
  for (const AnnotatedImage& image : writing.set.images) {
    std::string stem = image.file.stem().string();
    if (text::printable(stem) != stem) stem = text::file_name(stem);
    all.push_back(names[folder_of(image.split)].take(stem) + image.file.extension().string());
    if (all.back() != image.file.filename().string())
      writing.account.renamed.emplace_back(image.file, all.back());
  }
  return all;
}

std::vector<fs::path> copy_images(const Writing& writing,
                                  const std::function<std::string(const std::string&)>& folder_of) {
  const std::vector<std::string> names = image_names(writing, folder_of);
  std::vector<fs::path> places;
  for (std::size_t i = 0; i < names.size(); ++i) {
    check_stop(writing.stop);
    const AnnotatedImage& image = writing.set.images[i];
    const fs::path folder = folder_of(image.split);
    file::make_folder(writing.folder / folder);
    copy_image(image.file, writing.folder / folder / names[i], writing.options.hard_link);
    places.push_back(folder / names[i]);
  }
  return places;
}

void copy_frames(const Writing& writing, const std::string& folder) {
  file::make_folder(writing.folder / folder);
  std::size_t number = 0;
  for (const AnnotatedImage& image : writing.set.images) {
    check_stop(writing.stop);
    const std::string name =
        fmt::format("frame_{:06}{}", number++, image.file.extension().string());
    if (image.file.empty()) continue;
    copy_image(image.file, writing.folder / folder / name, writing.options.hard_link);
  }
  writing.account.notes.push_back(
      {folder, 0, "the images are called frame_000000, frame_000001, … in the order of the set"});
}

std::vector<std::string> splits_of(const AnnotatedSet& set) {
  std::set<std::string> found;
  for (const AnnotatedImage& image : set.images) found.insert(image.split);
  std::vector<std::string> splits;
  for (const char* split : {"train", "val", "test"})
    if (found.erase(split) > 0) splits.emplace_back(split);
  splits.insert(splits.end(), found.begin(), found.end());
  return splits;
}

const Ring* sole_polygon(const AnnotatedObject& object) {
  if (object.rings.size() != 1 || object.rings.front().size() < 3) return nullptr;
  const Xyxy around = box_around(object.rings), &box = object.box;
  constexpr double most = 0.01;
  const bool same = std::abs(around.x1 - box.x1) < most && std::abs(around.y1 - box.y1) < most &&
                    std::abs(around.x2 - box.x2) < most && std::abs(around.y2 - box.y2) < most;
  return same ? &object.rings.front() : nullptr;
}

const std::string& class_name(const Writing& writing, const AnnotatedObject& object) {
  return writing.set.classes[static_cast<std::size_t>(object.class_index)].name;
}

void write_text_file(const Writing& writing, const fs::path& relative, const std::string& content) {
  check_stop(writing.stop);
  const fs::path path = writing.folder / relative;
  file::make_folder(path.parent_path());
  file::write_atomically(path, content, file::Sync::later);
}

}  // namespace yolov7::dataset
