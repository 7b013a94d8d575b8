#include "dataset/formats/tfrecord.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/protobuf.hpp"
#include "core/record_file.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/all_formats.hpp"
#include "image/codec/file_kind.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

bool detect(const SourceTree& tree) {
  return std::any_of(tree.files.begin(), tree.files.end(),
                     [&](const fs::path& file) { return is_record_file(tree, file); });
}

TfFeature parse_feature(std::string_view bytes) {
  TfFeature feature;
  ProtobufReader kinds(bytes);
  while (kinds.next()) {
    if (!kinds.is_bytes()) continue;
    ProtobufReader list(kinds.bytes());
    while (list.next()) {
      if (list.field() != 1) continue;
      if (kinds.field() == 1 && list.is_bytes()) feature.texts.push_back(list.bytes());
      if (kinds.field() == 2) list.append_to(feature.reals);
      if (kinds.field() == 3) list.append_to(feature.integers);
    }
  }
  return feature;
}

/// ".jpg" or ".png" by the first bytes, else what the record says.
std::string extension_of(std::string_view image, const TfExample& example) {
  if (image.starts_with("\xFF\xD8")) return ".jpg";
  if (image.starts_with("\x89PNG")) return ".png";
  const auto format = example.find("image/format");
  return format == example.end() || format->second.texts.empty()
             ? ".jpg"
             : "." + text::file_name(format->second.texts.front());
}

std::string_view text_in(const TfExample& example, std::string_view name) {
  const auto found = example.find(name);
  return found == example.end() || found->second.texts.empty() ? std::string_view()
                                                               : found->second.texts.front();
}

/// Left alone where the same bytes are there already.
void keep_image(const fs::path& path, std::string_view bytes) {
  std::error_code error;
  if (fs::file_size(path, error) == bytes.size() && !error && file::read(path) == bytes) return;
  file::make_folder(path.parent_path());
  file::write_atomically(path, bytes, file::Sync::later);
}

}  // namespace

TfExample parse_example(std::string_view record) {
  TfExample example;
  ProtobufReader whole(record);
  while (whole.next()) {
    if (whole.field() != 1 || !whole.is_bytes()) continue;
    ProtobufReader features(whole.bytes());
    while (features.next()) {
      if (features.field() != 1 || !features.is_bytes()) continue;
      ProtobufReader entry(features.bytes());
      std::string_view name, value;
      while (entry.next()) {
        if (entry.field() == 1) name = entry.bytes();
        if (entry.field() == 2) value = entry.bytes();
      }
      example[std::string(name)] = parse_feature(value);
    }
  }
  return example;
}

bool is_record_file(const SourceTree& tree, const fs::path& file) {
  const std::string name = text::lower(file.filename().string());
  if (name.find(".tfrecord") == std::string::npos && !name.ends_with(".record") &&
      name.find(".record-") == std::string::npos)
    return false;
  const std::string head = tree.head(file, 12);
  std::uint32_t stored = 0;
  if (head.size() < 12) return false;
  std::copy_n(head.data() + 8, sizeof stored, reinterpret_cast<char*>(&stored));
  return stored == masked_crc32c(std::string_view(head).substr(0, 8));
}

std::vector<fs::path> record_files(const SourceTree& tree) {
  std::vector<fs::path> files;
  for (const fs::path& file : tree.files)
    if (is_record_file(tree, file)) files.push_back(file);
  return files;
}

fs::path unpacked_place(const fs::path& file, std::size_t number, const TfExample& example) {
  const std::string_view image = text_in(example, "image/encoded");
  if (image.empty()) return {};
  const std::string_view written = text_in(example, "image/filename");
  const auto slash = written.find_last_of("/\\");
  const std::string_view last =
      slash == std::string_view::npos ? written : written.substr(slash + 1);
  std::string name =
      last.empty() ? fmt::format("{:06}", number) : text::file_name(text::printable(last));
  if (!is_picture_name(name)) name += extension_of(image, example);
  return file / fmt::format("{:06}", number) / name;
}

void unpack_records(SourceTree& tree, const fs::path& folder, const std::stop_token& stop) {
  for (const fs::path& file : record_files(tree)) {
    const std::string content = tree.read(file), source = (tree.root / file).string();
    RecordReader records(content);
    try {
      while (records.next()) {
        check_stop(stop);
        const TfExample example = parse_example(records.data());
        const fs::path place = unpacked_place(file, records.number(), example);
        if (place.empty()) continue;
        keep_image(folder / place, text_in(example, "image/encoded"));
        tree.images.push_back({place, folder / place});
      }
    } catch (const Error& error) {
      if (error.code() != ExitCode::failure) throw;
      throw Error(fmt::format("{}: {}", source, error.what()));
    }
  }
  std::stable_sort(tree.images.begin(), tree.images.end(),
                   [](const TreeImage& a, const TreeImage& b) {
                     return a.relative.native() < b.relative.native();
                   });
}

Format tfrecord_format() {
  Format format;
  format.name = "tfrecord";
  format.title = "TFRecord";
  format.spellings = {"tf-record", "tf-detection", "tfrecords"};
  format.description =
      "records of TensorFlow's object detection interface, with label_map.pbtxt; images inside";
  format.detect = detect;
  format.unpack = unpack_records;
  format.read = read_tfrecord;
  format.write = write_tfrecord;
  Holds& holds = format.holds;
  holds.crowd = holds.difficult = holds.truncated = Keep::yes;
  return format;
}

}  // namespace yolov7::dataset
