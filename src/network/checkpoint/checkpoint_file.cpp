#include "network/checkpoint/checkpoint_file.hpp"

#include <fmt/format.h>

#include <set>

#include "core/archive.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "network/checkpoint/checkpoint_meta.hpp"
#include "network/checkpoint/official_checkpoint.hpp"
#include "network/checkpoint/safetensors.hpp"
#include "network/config/builder.hpp"
#include "network/torch_file/open_torch_container.hpp"
#include "network/torch_file/torch_container.hpp"

namespace yolov7::network {
namespace {

// On disk: never change the meaning of a version.
constexpr const char* format_name = "yolov7.cpp";
constexpr std::int64_t format_version = 1;
constexpr const char* root = "archive";

std::span<const std::byte> as_bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// Ours are stricter than what torch.save may write: contiguous, and each with a storage of its
/// own.
Tensor read_tensor(const TorchContainer& container, const PickleValue& value,
                   const std::string& source, const std::string& name) {
  if (value.kind != PickleValue::Kind::tensor)
    throw Error(fmt::format("{}: {}: expected a tensor, found something else", source,
                            text::printable(name)));
  const TensorClaim& claim = *value.tensor;
  Tensor tensor;
  tensor.type = claim.type.type;
  tensor.shape = claim.shape;
  std::int64_t expected_stride = 1;
  for (std::size_t i = claim.shape.size(); i-- > 0;) {
    if (claim.shape[i] != 1 && claim.strides[i] != expected_stride)
      throw Error(
          fmt::format("{}: {}: expected a contiguous tensor", source, text::printable(name)));
    expected_stride *= claim.shape[i];
  }
  if (claim.type.kind != StorageType::Kind::plain || claim.offset != 0 ||
      claim.storage_elements != tensor.elements())
    throw Error(fmt::format("{}: {}: expected a storage of {} elements, found {}", source,
                            text::printable(name), tensor.elements(), claim.storage_elements));
  tensor.bytes = container.read(claim);
  return tensor;
}

/// `used` holds the storages seen so far: one that served many tensors would multiply what a small
/// file can allocate.
Weights read_weights(const TorchContainer& container, const char* part, const std::string& source,
                     std::set<std::string>& used) {
  Weights weights;
  const PickleValue* list = container.pickle().top->find(part);
  if (list == nullptr || list->kind != PickleValue::Kind::dictionary)
    throw Error(fmt::format("{}: expected tensors under '{}', found none", source, part));
  for (const auto& [name, value] : list->dictionary) {
    if (name->kind != PickleValue::Kind::text)
      throw Error(
          fmt::format("{}: expected names of tensors under '{}', found another key", source, part));
    if (value->tensor != nullptr && !used.insert(value->tensor->key).second)
      throw Error(
          fmt::format("{}: {}: expected a storage of its own, found one that another tensor uses",
                      source, text::printable(name->text)));
    weights.set(name->text, read_tensor(container, *value, source, name->text));
  }
  return weights;
}

Checkpoint read_own(const TorchContainer& container, const std::string& source) {
  const PickleValue& top = *container.pickle().top;
  const PickleValue* version = top.find("format_version");
  if (version == nullptr || version->kind != PickleValue::Kind::integer ||
      version->integer != format_version)
    throw Error(fmt::format("{}: expected format version {}, found {}: a newer program wrote it",
                            source, format_version, version == nullptr ? 0 : version->integer));
  Checkpoint checkpoint;
  const PickleValue* meta = top.find("meta");
  if (meta == nullptr || meta->kind != PickleValue::Kind::text)
    throw Error(fmt::format("{}: expected a description, found none", source));
  read_meta(meta->text, source, checkpoint);
  std::set<std::string> used;
  checkpoint.model = read_weights(container, "model", source, used);
  checkpoint.ema = read_weights(container, "ema", source, used);
  checkpoint.optimizer = read_weights(container, "optimizer", source, used);
  checkpoint.facts.optimizer_tensors = checkpoint.optimizer.size();
  const Weights& weights = checkpoint.inference_weights();
  if (weights.size() > 0 && head_layer(weights) < 0)
    checkpoint.facts.notes.push_back(
        "it holds a backbone alone: training starts from it, and makes neck and head anew");
  if (!checkpoint.quantization.empty())
    checkpoint.facts.notes.push_back(
        "it was trained for integers, with the ranges that quantize and export --int8 take from "
        "it; whatever else reads it computes in float32");
  return checkpoint;
}

}  // namespace

void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint,
                      const std::filesystem::path& previous) {
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
  pickle.text(meta_text(checkpoint, true));
  pickle.end_dictionary();
  const std::string text = pickle.finish(), byteorder = "little", version = "3\n";
  file::replace_atomically(
      path,
      [&](const std::filesystem::path& temporary) {
        ArchiveWriter archive(temporary);
        archive.add(fmt::format("{}/data.pkl", root), as_bytes(text));
        archive.add(fmt::format("{}/byteorder", root), as_bytes(byteorder));
        for (const auto& [name, tensor] : storages) archive.add(name, tensor->bytes);
        archive.add(fmt::format("{}/version", root), as_bytes(version));
        archive.finish();
      },
      previous);
}

Checkpoint read_checkpoint(const std::filesystem::path& path) {
  const std::string source = path.string();
  if (begins_safetensors(path)) return read_safetensors_checkpoint(path);
  const std::unique_ptr<TorchContainer> container = open_torch_container(path);
  const PickleValue* format = container->pickle().top->find("format");
  if (format != nullptr && format->kind == PickleValue::Kind::text && format->text == format_name)
    return read_own(*container, source);
  return read_official(*container, source);
}

}  // namespace yolov7::network
