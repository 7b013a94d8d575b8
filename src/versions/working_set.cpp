#include "versions/working_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <tuple>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/value.hpp"
#include "dataset/formats/convert.hpp"
#include "dataset/formats/open_data.hpp"
#include "dataset/formats/yolo.hpp"
#include "dataset/index/description.hpp"
#include "dataset/index/pictures.hpp"
#include "image/codec/file_kind.hpp"
#include "versions/annotations.hpp"
#include "versions/class_points.hpp"

namespace yolov7::versions {
namespace fs = std::filesystem;
namespace {

fs::path absolute_path(const fs::path& path) { return fs::absolute(path).lexically_normal(); }

/// The path of a file as a version names it.
std::string path_in(const std::string& root, const fs::path& file) {
  const std::string& whole = file.native();
  if (whole.size() > root.size() + 1 && whole.starts_with(root) && whole[root.size()] == '/')
    return whole.substr(root.size() + 1);
  std::string path = file.lexically_relative(root).generic_string();
  while (path.starts_with("../")) path.erase(0, 3);
  return path;
}

void sort_and_check(WorkingSet& set) {
  std::sort(set.images.begin(), set.images.end(), [](const WorkingImage& a, const WorkingImage& b) {
    return std::tie(a.path, a.split, a.file) < std::tie(b.path, b.split, b.file);
  });
  for (std::size_t i = 1; i < set.images.size(); ++i) {
    const WorkingImage &a = set.images[i - 1], &b = set.images[i];
    if (a.path == b.path && a.file != b.file)
      throw Error(
          fmt::format("{}: expected a path of its own for each image, found {} for both {} "
                      "and {}",
                      set.source.string(), a.path, a.file.string(), b.file.string()));
  }
  const auto repeated = std::unique(set.images.begin(), set.images.end(),
                                    [](const WorkingImage& a, const WorkingImage& b) {
                                      return a.path == b.path && a.split == b.split;
                                    });
  set.images.erase(repeated, set.images.end());
  if (set.images.empty())
    throw Error(fmt::format("{}: expected images, found none", set.source.string()));
}

void read_key_point_shape(const fs::path& file, ClassList& classes) {
  const Value document = read_yaml(file);
  const Value* shape = document.find("kpt_shape");
  if (shape == nullptr || !shape->is_sequence() || shape->sequence.size() != 2) return;
  classes.key_points = static_cast<int>(shape->sequence[0].integer());
  classes.key_point_values = static_cast<int>(shape->sequence[1].integer());
}

/// Absolute entries, so that the images behind them are absolute, too.
std::vector<fs::path> absolute_entries(const std::vector<fs::path>& entries) {
  std::vector<fs::path> result;
  for (const fs::path& entry : entries) result.push_back(absolute_path(entry));
  return result;
}

void read_described(const dataset::Description& description, WorkingSet& set) {
  set.source = description.file;
  set.root = absolute_path(set.source).parent_path();
  for (const std::string& name : description.names)
    set.classes.classes.push_back({name, {}, {}, {}});
  if (description.key_point_columns > 0) read_key_point_shape(set.source, set.classes);
  const std::string root = set.root.string();
  for (const char* split : {"train", "val", "test"}) {
    if (description.split(split).empty()) continue;
    for (fs::path& file : dataset::collect_pictures(absolute_entries(description.split(split)))) {
      if (!file.is_absolute()) file = absolute_path(file);
      if (file_kind(file) == FileKind::video) {
        set.left_out.push_back(fmt::format("{}: a video", file.string()));
        continue;
      }
      std::string path = path_in(root, file);
      set.images.push_back({std::move(path), split, std::move(file), {}});
    }
  }
}

void read_converted(WorkingSet& set, const dataset::DataAddress& address, int threads,
                    const std::stop_token& stop) {
  dataset::ConvertOptions options;
  options.source = set.source = address.path;
  options.from = address.format;
  options.stop = stop;
  options.read.threads = options.prepare.threads = threads;
  options.read.unpack_folder = dataset::unpack_folder(address.path);
  options.prepare.decode = false;
  set.account.emplace();
  const dataset::AnnotatedSet annotated = dataset::read_annotations_of(options, *set.account);
  std::error_code error;
  set.root = absolute_path(set.source);
  if (!fs::is_directory(set.root, error)) set.root = set.root.parent_path();
  for (const dataset::AnnotatedClass& one : annotated.classes)
    set.classes.classes.push_back(
        {one.name, one.id, one.supercategory, one.colour, point_field(one)});
  const std::string root = set.root.string(),
                    inside = absolute_path(options.read.unpack_folder).string();
  for (const dataset::AnnotatedImage& image : annotated.images) {
    if (image.file.empty()) {
      set.left_out.push_back(fmt::format("{}: an annotation without its image", image.written));
      continue;
    }
    fs::path file = absolute_path(image.file);
    const bool unpacked = file.native().starts_with(inside + "/");
    set.unpacked = set.unpacked || unpacked;
    set.images.push_back({path_in(unpacked ? inside : root, file),
                          image.split.empty() ? "train" : image.split, std::move(file),
                          text_of_image(image)});
  }
}

/// What stands beside label files, such as that a machine made them, comes by their format alone.
void warn_of_side_file(const dataset::Description& description) {
  const fs::path side = fs::absolute(description.file).parent_path() / dataset::yolo_side_file;
  std::error_code error;
  if (fs::exists(side, error))
    log::warning(
        fmt::format("{}: the version does not have what it keeps beside the labels; "
                    "yolo:{} as the source takes it along",
                    side.string(), side.parent_path().string()));
}

}  // namespace

WorkingSet read_working_set(const fs::path& source, const std::string& from, int threads,
                            const std::stop_token& stop) {
  WorkingSet set;
  dataset::DataAddress address{from, source};
  if (from == "auto") address = dataset::data_address(source.string());
  if (const auto description = dataset::find_description(address)) {
    warn_of_side_file(*description);
    read_described(*description, set);
  } else {
    read_converted(set, address, threads, stop);
  }
  sort_and_check(set);
  return set;
}

}  // namespace yolov7::versions
