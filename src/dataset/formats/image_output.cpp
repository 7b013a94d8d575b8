#include "dataset/formats/image_output.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "core/file.hpp"
#include "core/interrupt.hpp"
#include "core/output_names.hpp"
#include "dataset/formats/yolo_layout.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;

std::vector<fs::path> copy_images(const Writing& writing,
                                  const std::function<std::string(const std::string&)>& folder_of) {
  std::vector<fs::path> places;
  std::map<std::string, OutputNames> names;  // of stems: annotations go by them
  for (const AnnotatedImage& image : writing.set.images) {
    interrupt::check();
    const fs::path folder = folder_of(image.split);
    if (!names.contains(folder.string())) file::make_folder(writing.folder / folder);
    const std::string name =
        names[folder.string()].take(image.file.stem().string()) + image.file.extension().string();
    if (name != image.file.filename().string())
      writing.account.renamed.emplace_back(image.file, name);
    copy_image(image.file, writing.folder / folder / name, writing.options.hard_link);
    places.push_back(folder / name);
  }
  return places;
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

void write_text_file(const Writing& writing, const fs::path& relative, const std::string& content) {
  const fs::path path = writing.folder / relative;
  file::make_folder(path.parent_path());
  file::write_atomically(path, content, file::Sync::later);
}

}  // namespace yolov7::dataset
