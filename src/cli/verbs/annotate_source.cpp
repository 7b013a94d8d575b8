#include "cli/verbs/annotate_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "dataset/formats/convert.hpp"
#include "dataset/formats/format_table.hpp"
#include "dataset/formats/open_data.hpp"
#include "dataset/index/label.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;

/// Whether the path holds annotations: a data.yaml, or the signs of a format.
bool is_data_set(const dataset::DataAddress& address) {
  std::error_code error;
  if (address.format != "auto") return true;
  if (!fs::exists(address.path, error)) return false;  // a pattern
  const std::string extension = text::lower(address.path.extension().string());
  const bool folder = fs::is_directory(address.path, error);
  if (!folder)
    return extension == ".yaml" || extension == ".yml" || extension == ".json" ||
           extension == ".xml" || extension == ".csv" || extension == ".jsonl";
  const dataset::SourceTree tree =
      dataset::walk_source(address.path, {}, "a folder with images", interrupt::token());
  if (tree.files.empty()) return false;
  return std::any_of(dataset::formats().begin(), dataset::formats().end(),
                     [&](const dataset::Format& format) {
                       return format.read != nullptr && format.name != "imagenet" &&
                              format.detect != nullptr && format.detect(tree);
                     });
}

void read_data_set(const dataset::DataAddress& address, AnnotateSource& result) {
  dataset::ConvertOptions reading;
  reading.source = address.path;
  reading.from = address.format;
  reading.from_option = "FORMAT:PATH as the source";
  reading.prepare.decode = false;
  reading.stop = interrupt::token();
  reading.read.unpack_folder = dataset::unpack_folder(address.path);
  dataset::Conversion account;
  const dataset::AnnotatedSet set = dataset::read_annotations_of(reading, account);
  result.names = dataset::names_of(set);
  std::set<fs::path> unlabelled;
  for (const dataset::AnnotatedImage& image : set.images) {
    if (!image.file.empty()) result.all_images.push_back(image.file);
    if (image.state == dataset::ImageState::not_annotated && image.objects.empty())
      unlabelled.insert(image.file);
    else
      ++result.labelled;
  }
  std::error_code error;
  const fs::path root =
      fs::is_directory(address.path, error) ? address.path : address.path.parent_path();
  for (const dataset::ConversionDrop& drop : account.drops) {
    if (drop.kind == "image" && drop.reason == dataset::without_annotation &&
        fs::is_regular_file(root / drop.file, error)) {
      if (unlabelled.insert(root / drop.file).second) result.all_images.push_back(root / drop.file);
    } else {
      result.unusable += drop.kind == "annotation" ? 1 : 0;
    }
  }
  for (const fs::path& file : unlabelled) {
    result.pictures.push_back({file, file.filename()});
    result.folders.push_back(file.parent_path());
  }
  result.folders.push_back(root);
}

void read_images(const std::string& source, AnnotateSource& result) {
  std::error_code error;
  runtime::SourceList list = runtime::list_sources(source);
  if (!list.streams.empty())
    throw Error(fmt::format("{} {}: expected images and videos, found a camera or a stream",
                            setting_name("source"),
                            runtime::without_credentials(list.streams.front().source)));
  result.videos = std::move(list.videos);
  for (const runtime::SourcePicture& picture : list.pictures) {
    result.all_images.push_back(picture.path);
    result.folders.push_back(picture.path.parent_path());
    if (fs::is_regular_file(dataset::label_path(picture.path), error))
      ++result.labelled;
    else
      result.pictures.push_back(picture);
  }
}

}  // namespace

AnnotateSource annotate_source(const std::string& source, const std::set<fs::path>& labelled) {
  AnnotateSource result;
  const dataset::DataAddress address = dataset::data_address(source);
  if (is_data_set(address))
    read_data_set(address, result);
  else
    read_images(source, result);
  const std::size_t before = result.pictures.size();
  std::erase_if(result.pictures, [&](const runtime::SourcePicture& picture) {
    return labelled.contains(fs::weakly_canonical(picture.path));
  });
  result.labelled += before - result.pictures.size();
  std::sort(result.folders.begin(), result.folders.end());
  result.folders.erase(std::unique(result.folders.begin(), result.folders.end()),
                       result.folders.end());
  if (result.pictures.empty() && result.videos.empty())
    throw Error(fmt::format(
        "{}: expected images without labels, found none: {} are labelled, of {} the labels cannot "
        "be read",
        source, result.labelled, result.unusable));
  return result;
}

}  // namespace yolov7::cli
