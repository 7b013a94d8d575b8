#include "network/checkpoint.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "network/archive.hpp"
#include "network/pickle.hpp"

namespace yolov7::network {
namespace {

// On disk: never change the meaning of a version.
constexpr const char* format_name = "yolov7.cpp";
constexpr std::int64_t format_version = 1;
constexpr const char* root = "archive";
constexpr std::uint64_t largest_tensor = std::uint64_t{1} << 36;

std::span<const std::byte> as_bytes(const std::string& text) { return std::as_bytes(std::span(text.data(), text.size())); }

std::string meta_text(const Checkpoint& c) {
  const nlohmann::json meta = {{"config", c.config}, {"config_source", c.config_source}, {"class_count", c.class_count}, {"names", c.names},
                               {"image_size", c.image_size}, {"dataset_identity", c.dataset_identity}, {"state", c.state}};
  return json_text(meta);
}

void read_meta(const std::string& text, const std::string& source, Checkpoint& c) {
  const nlohmann::json meta = parse_json(text, source + ": meta");
  try {
    c.config = meta.at("config").get<std::string>();
    c.config_source = meta.at("config_source").get<std::string>();
    c.class_count = meta.at("class_count").get<int>();
    c.names = meta.at("names").get<std::vector<std::string>>();
    c.image_size = meta.at("image_size").get<int>();
    c.dataset_identity = meta.at("dataset_identity").get<std::string>();
    c.state = meta.at("state").get<std::string>();
  } catch (const nlohmann::json::exception& error) {
    throw Error(fmt::format("{}: expected the description of a network: {}", source, error.what()));
  }
  if (c.class_count < 1 || static_cast<std::size_t>(c.class_count) != c.names.size() || c.image_size < 1)
    throw Error(fmt::format("{}: expected as many names as classes, found {} and {}", source, c.names.size(), c.class_count));
}

Tensor read_tensor(const ArchiveReader& archive, const std::string& archive_root, const PickleValue& value, const std::string& source, const std::string& name) {
  if (value.kind != PickleValue::Kind::tensor) throw Error(fmt::format("{}: {}: expected a tensor, found something else", source, name));
  Tensor tensor;
  tensor.type = value.type;
  tensor.shape = value.shape;
  std::int64_t expected_stride = 1, elements = 1;
  for (std::size_t i = value.shape.size(); i-- > 0;) {
    if (value.shape[i] != 1 && value.strides[i] != expected_stride) throw Error(fmt::format("{}: {}: expected a contiguous tensor", source, name));
    if (value.shape[i] != 0 && elements > static_cast<std::int64_t>(largest_tensor) / value.shape[i]) throw Error(fmt::format("{}: {}: the tensor is too large", source, name));
    elements *= value.shape[i];
    expected_stride *= value.shape[i];
  }
  tensor.bytes = archive.read(fmt::format("{}/data/{}", archive_root, value.text), largest_tensor);
  const std::uint64_t bytes = static_cast<std::uint64_t>(elements) * size_in_bytes(value.type);
  if (value.offset != 0 || value.storage_elements != elements || tensor.bytes.size() != bytes)
    throw Error(fmt::format("{}: {}: expected a storage of {} bytes, found {}", source, name, bytes, tensor.bytes.size()));
  return tensor;
}

/// `used` holds the storages seen so far: one that served many tensors would multiply what a small file can allocate.
Weights read_weights(const ArchiveReader& archive, const std::string& archive_root, const PickleValue& top, const char* part, const std::string& source, std::set<std::string>& used) {
  Weights weights;
  const PickleValue* list = top.find(part);
  if (list == nullptr || list->kind != PickleValue::Kind::dictionary) throw Error(fmt::format("{}: expected tensors under '{}', found none", source, part));
  for (const auto& [name, value] : list->dictionary) {
    if (!used.insert(value.text).second) throw Error(fmt::format("{}: {}: expected a storage of its own, found one that another tensor uses", source, name));
    if (weights.find(name) != nullptr) throw Error(fmt::format("{}: {} stands in it twice", source, name));
    weights.set(name, read_tensor(archive, archive_root, value, source, name));
  }
  return weights;
}

}  // namespace

Network Checkpoint::build_network() const {
  Overrides overrides;
  overrides.class_count = class_count;
  Network plain = build(config, config_source, overrides);
  // The buffers, not the config's anchors, are authoritative (architecture 3.8).
  for (const TensorSpec& spec : plain.tensors) {
    if (spec.role != TensorSpec::Role::anchor_grid) continue;
    const Tensor* grid = inference_weights().find(spec.name);
    if (grid == nullptr || grid->shape != spec.shape) return plain;
    const std::vector<double> sizes = grid->to_doubles();
    std::size_t at = 0;
    for (std::size_t level = 0; level < plain.lead_levels(); ++level) {
      overrides.anchors.emplace_back();
      for (int a = 0; a < plain.anchors_per_level; ++a, at += 2) overrides.anchors.back().push_back({sizes[at], sizes[at + 1]});
    }
    return build(config, config_source, overrides);
  }
  return plain;
}

const Weights& Checkpoint::inference_weights() const { return ema.size() > 0 ? ema : model; }

void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  PickleWriter pickle;
  std::vector<std::pair<std::string, const Tensor*>> storages;
  const auto write_part = [&](const char* name, const Weights& weights) {
    pickle.key(name);
    pickle.begin_dictionary();
    for (const auto& [tensor_name, tensor] : weights.entries()) {
      pickle.key(tensor_name);
      pickle.tensor(tensor, std::to_string(storages.size()));
      storages.emplace_back(fmt::format("{}/data/{}", root, storages.size()), &tensor);
    }
    pickle.end_dictionary();
  };
  pickle.begin_dictionary();
  pickle.key("format");
  pickle.text(format_name);
  pickle.key("format_version");
  pickle.integer(format_version);
  write_part("model", checkpoint.model);
  write_part("ema", checkpoint.ema);
  write_part("optimizer", checkpoint.optimizer);
  pickle.key("meta");
  pickle.text(meta_text(checkpoint));
  pickle.end_dictionary();
  const std::string text = pickle.finish(), byteorder = "little", version = "3\n";
  file::replace_atomically(path, [&](const std::filesystem::path& temporary) {
    ArchiveWriter archive(temporary);
    archive.add(fmt::format("{}/data.pkl", root), as_bytes(text));
    archive.add(fmt::format("{}/byteorder", root), as_bytes(byteorder));
    for (const auto& [name, tensor] : storages) archive.add(name, tensor->bytes);
    archive.add(fmt::format("{}/version", root), as_bytes(version));
    archive.finish();
  });
}

Checkpoint read_checkpoint(const std::filesystem::path& path) {
  const std::string source = path.string();
  const ArchiveReader archive(path);
  const std::string archive_root = archive.root();
  const PickleValue top = read_pickle(archive.read(archive_root + "/data.pkl", 64u << 20), source);
  const PickleValue* format = top.find("format");
  if (format == nullptr || format->text != format_name) throw Error(fmt::format("{}: expected a checkpoint of yolov7.cpp, found another PyTorch file", source));
  const PickleValue* version = top.find("format_version");
  if (version == nullptr || version->integer != format_version)
    throw Error(fmt::format("{}: expected format version {}, found {}: a newer program wrote it", source, format_version, version == nullptr ? 0 : version->integer));
  Checkpoint checkpoint;
  const PickleValue* meta = top.find("meta");
  if (meta == nullptr || meta->kind != PickleValue::Kind::text) throw Error(fmt::format("{}: expected a description, found none", source));
  read_meta(meta->text, source, checkpoint);
  std::set<std::string> used;
  checkpoint.model = read_weights(archive, archive_root, top, "model", source, used);
  checkpoint.ema = read_weights(archive, archive_root, top, "ema", source, used);
  checkpoint.optimizer = read_weights(archive, archive_root, top, "optimizer", source, used);
  return checkpoint;
}

}  // namespace yolov7::network
