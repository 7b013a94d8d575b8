#include <fmt/format.h>

#include <fstream>
#include <sstream>
#include <system_error>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/protobuf.hpp"
#include "core/record_file.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/image_output.hpp"
#include "dataset/formats/tfrecord.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t most_shard_bytes = 512u << 20;

class ExampleText {
 public:
  void text(std::string_view name, std::string_view value) { texts(name, {value}); }
  void texts(std::string_view name, const std::vector<std::string_view>& values) {
    ProtobufMessage list;
    for (const std::string_view value : values) list.text(1, value);
    add(name, 1, std::move(list));
  }
  void reals(std::string_view name, const std::vector<float>& values) {
    ProtobufMessage list;
    list.reals(1, values);
    add(name, 2, std::move(list));
  }
  void integers(std::string_view name, const std::vector<std::int64_t>& values) {
    ProtobufMessage list;
    list.integers(1, values);
    add(name, 3, std::move(list));
  }
  std::string record() {
    ProtobufMessage example;
    example.message(1, std::move(features_));
    std::ostringstream out;
    example.write(out);
    return framed_record(out.str());
  }

 private:
  void add(std::string_view name, int kind, ProtobufMessage list) {
    ProtobufMessage feature;
    feature.message(kind, std::move(list));
    features_.entry(1, name, std::move(feature));
  }
  ProtobufMessage features_;
};

std::string format_of(std::string_view bytes, const fs::path& file) {
  if (bytes.starts_with("\xFF\xD8")) return "jpeg";
  if (bytes.starts_with("\x89PNG")) return "png";
  const std::string extension = text::lower(file.extension().string());
  return extension.empty() ? "" : extension.substr(1);
}

std::string record_of(const AnnotatedImage& image, const std::string& name, const AnnotatedSet& set,
                      std::size_t& other_kinds) {
  const std::string bytes = file::read(image.file);
  const std::string kind = format_of(bytes, image.file);
  other_kinds += kind != "jpeg" && kind != "png" ? 1 : 0;
  std::vector<float> x1, y1, x2, y2;
  std::vector<std::string_view> names;
  std::vector<std::int64_t> labels, crowd, difficult, truncated;
  for (const AnnotatedObject& object : image.objects) {
    x1.push_back(static_cast<float>(object.box.x1 / image.width));
    y1.push_back(static_cast<float>(object.box.y1 / image.height));
    x2.push_back(static_cast<float>(object.box.x2 / image.width));
    y2.push_back(static_cast<float>(object.box.y2 / image.height));
    names.push_back(set.classes[static_cast<std::size_t>(object.class_index)].name);
    labels.push_back(object.class_index + 1);
    crowd.push_back(object.crowd ? 1 : 0);
    difficult.push_back(object.difficult ? 1 : 0);
    truncated.push_back(object.truncated ? 1 : 0);
  }
  ExampleText example;
  example.text("image/encoded", bytes);
  example.text("image/filename", name);
  example.text("image/format", kind);
  example.integers("image/height", {image.height});
  example.integers("image/width", {image.width});
  example.text("image/source_id", image.id.empty() ? name : image.id);
  example.reals("image/object/bbox/xmin", x1);
  example.reals("image/object/bbox/xmax", x2);
  example.reals("image/object/bbox/ymin", y1);
  example.reals("image/object/bbox/ymax", y2);
  example.texts("image/object/class/text", names);
  example.integers("image/object/class/label", labels);
  example.integers("image/object/is_crowd", crowd);
  example.integers("image/object/difficult", difficult);
  example.integers("image/object/truncated", truncated);
  return example.record();
}

/// The images of a split in parts of at most most_shard_bytes, a larger image in one of its own.
std::vector<std::vector<std::size_t>> shards_of(const AnnotatedSet& set, const std::string& split) {
  std::vector<std::vector<std::size_t>> shards(1);
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < set.images.size(); ++i) {
    if (set.images[i].split != split) continue;
    std::error_code error;
    const std::uint64_t size = fs::file_size(set.images[i].file, error);
    if (!shards.back().empty() && bytes + size > most_shard_bytes) {
      shards.emplace_back();
      bytes = 0;
    }
    shards.back().push_back(i);
    bytes += error ? 0 : size;
  }
  return shards;
}

void write_shard(const Writing& writing, const fs::path& path,
                 const std::vector<std::size_t>& images, const std::vector<std::string>& names,
                 std::size_t& other_kinds) {
  std::ofstream out(path, std::ios::binary);
  for (const std::size_t i : images) {
    check_stop(writing.stop);
    const std::string record = record_of(writing.set.images[i], names[i], writing.set, other_kinds);
    out.write(record.data(), static_cast<std::streamsize>(record.size()));
  }
  out.close();
  if (!out)
    throw Error(fmt::format("{}: cannot be written: {}", path.string(),
                            std::generic_category().message(errno)));
}

}  // namespace

void write_tfrecord(const Writing& writing) {
  const AnnotatedSet& set = writing.set;
  const std::vector<std::string> names =
      image_names(writing, [](const std::string& split) { return split; });
  std::size_t other_kinds = 0;
  for (const std::string& split : splits_of(set)) {
    const auto shards = shards_of(set, split);
    const std::string base = text::file_name(split) + ".tfrecord";
    for (std::size_t s = 0; s < shards.size(); ++s)
      write_shard(writing,
                  writing.folder / (shards.size() == 1
                                        ? base
                                        : fmt::format("{}-{:05}-of-{:05}", base, s, shards.size())),
                  shards[s], names, other_kinds);
  }
  write_text_file(writing, "label_map.pbtxt", label_map_text(names_of(set)));
  if (other_kinds > 0)
    writing.account.notes.push_back(
        {"", 0,
         fmt::format("{} images are neither JPEG nor PNG: TensorFlow's object detection reads "
                     "those two alone",
                     other_kinds)});
}

}  // namespace yolov7::dataset
