// Folders whose names are classes (ImageNet): they have no boxes, so they are named and refused.
#include <fmt/format.h>

#include "core/error.hpp"
#include "dataset/formats/all_formats.hpp"
#include "dataset/formats/splits.hpp"

namespace yolov7::dataset {
namespace {

AnnotatedSet read(const Reading& reading) {
  throw Error(
      fmt::format("{}: expected annotations with boxes, found {} images in folders named after "
                  "classes: such a set (ImageNet) says what an image shows and not where, so a "
                  "detector cannot learn from it until boxes are drawn",
                  reading.tree.root.string(), reading.tree.images.size()));
}

}  // namespace

bool has_class_folders(const SourceTree& tree) {
  std::size_t count = 0;
  for (const TreeImage& image : tree.images) {
    const std::string folder = image.relative.parent_path().filename().string();
    const std::string split = split_name(folder);
    const bool telling = !folder.empty() && !split.empty() && split != "train" && split != "val" &&
                         split != "test" && folder != "img" && folder != "JPEGImages";
    count += telling ? 1 : 0;
  }
  return count > 0 && count * 2 >= tree.images.size();
}

Format imagenet_format() {
  Format format;
  format.name = "imagenet";
  format.title = "ImageNet folders";
  format.spellings = {"imagenet-folders", "classification"};
  format.description = "images in folders named after classes: no boxes";
  format.read = read;
  format.read_words = "refused: no boxes";
  return format;
}

}  // namespace yolov7::dataset
