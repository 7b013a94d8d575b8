#include "runtime/openvino/file_metadata.hpp"

#include <algorithm>
#include <openvino/core/model.hpp>
#include <string_view>

#include "core/archive.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "core/value.hpp"

namespace yolov7::runtime {
namespace {

namespace fs = std::filesystem;

/// A list in the form of Python, since names may hold commas; names with numbers keep them.
std::string list_literal(const Value& value, bool texts) {
  const bool numbered = texts && value.is_mapping();
  std::string list = numbered ? "{" : "[";
  const auto put = [&](const std::string& key, const Value& one) {
    if (!one.is_scalar()) return;
    if (list.size() > 1) list += ", ";
    if (numbered && text::parse_int(key)) list += key + ": ";
    if (texts) list += '\'';
    for (const char c : one.text()) {
      if (texts && (c == '\'' || c == '\\')) list += '\\';
      list += c;
    }
    if (texts) list += '\'';
  };
  for (const auto& [key, one] : value.mapping) put(key, one);
  for (const Value& one : value.sequence) put("", one);
  return list + (numbered ? "}" : "]");
}

ModelMetadata from_tree(const Value& tree) {
  ModelMetadata metadata;
  for (const auto& [key, value] : tree.mapping) {
    if (value.is_scalar())
      metadata[key] = value.scalar;
    else if (key == "names" || key == "imgsz")
      metadata[key] = list_literal(value, key == "names");
  }
  return metadata;
}

/// Of the zip archive that stands behind the model; empty where there is none.
ModelMetadata metadata_behind(const fs::path& path) {
  try {
    const network::ArchiveReader archive(path);
    for (const char* member : {"metadata.json", "meta.txt", "temp_meta.txt"}) {
      if (!archive.has(member)) continue;
      const std::vector<std::byte> bytes = archive.read(member, 1 << 20);
      const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
      return from_tree(parse_yaml(text, path.string()));
    }
  } catch (const Error&) {
    // Files of other programs; what is assumed instead is said.
  }
  return {};
}

/// metadata.yaml, or one with the model's name.
ModelMetadata metadata_beside(const RecognisedFile& file) {
  const bool folder = file.format == FileFormat::saved_model;
  for (const fs::path& yaml :
       {folder ? file.path / "metadata.yaml" : file.path.parent_path() / "metadata.yaml",
        folder ? fs::path() : fs::path(file.path).replace_extension(".yaml")})
    if (!yaml.empty() && fs::exists(yaml)) return from_tree(read_yaml(yaml));
  return {};
}

}  // namespace

ModelMetadata file_metadata(const ov::Model& model, const RecognisedFile& file) {
  ModelMetadata metadata;
  for (const char* section : {"yolov7", "framework"})
    for (const char* key :
         {"layout", "names", "stride", "strides", "anchors", "description", "imgsz", "args"})
      if (model.has_rt_info(section, key))
        metadata.try_emplace(key, model.get_rt_info<std::string>(section, key));
  if (metadata.empty() && file.format == FileFormat::tflite) metadata = metadata_behind(file.path);
  if (metadata.empty() &&
      (file.format == FileFormat::openvino || file.format == FileFormat::saved_model))
    metadata = metadata_beside(file);
  for (const char* key : {"labels", "reverse_input_channels", "pad_value", "scale_values",
                          "mean_values", "resize_type", "confidence_threshold", "iou_threshold"})
    if (model.has_rt_info("model_info", key))
      metadata.try_emplace(key, model.get_rt_info<std::string>("model_info", key));
  return metadata;
}

std::int64_t inner_classes(const ov::Model& model, const InputSides& input) {
  if (!input.fixed()) return 0;
  std::vector<std::int64_t> rows;  // of detectors with levels down to 1/32 and to 1/64
  std::int64_t sum = 0;
  for (const int stride : {8, 16, 32, 64}) {
    sum += std::int64_t{3} * (input.height / stride) * (input.width / stride);
    if (stride >= 32) rows.push_back(sum);
  }
  std::int64_t columns = 0;
  for (const auto& operation : model.get_ordered_ops())
    for (const auto& output : operation->outputs()) {
      const ov::PartialShape& shape = output.get_partial_shape();
      if (shape.rank().is_dynamic() || shape.rank().get_length() != 3 || shape[1].is_dynamic() ||
          shape[2].is_dynamic())
        continue;
      if (std::find(rows.begin(), rows.end(), shape[1].get_length()) != rows.end())
        columns = std::max<std::int64_t>(columns, shape[2].get_length());
    }
  return columns > 5 ? columns - 5 : 0;
}

}  // namespace yolov7::runtime
