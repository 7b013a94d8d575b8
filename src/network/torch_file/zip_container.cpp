#include "network/torch_file/zip_container.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::network {
namespace {

constexpr std::uint64_t largest_pickle = 64u << 20, largest_side_text = 16u << 20;

std::string checked_root(const ArchiveReader& archive, const std::string& source) {
  if (archive.holds_torchscript())
    throw Error(
        fmt::format("{}: a TorchScript archive, which is a program: expected a checkpoint with "
                    "tensors, such as "
                    "the .pt that a training wrote",
                    source));
  const std::string root = archive.root(), order = root + "/byteorder";
  if (archive.has(order)) {
    const std::vector<std::byte> bytes = archive.read(order, 100);
    const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (text::trim(text) != "little")
      throw Error(fmt::format("{}: expected little-endian data, found '{}'", source,
                              text::printable(text)));
  }
  return root;
}

}  // namespace

ZipContainer::ZipContainer(const std::filesystem::path& path)
    : archive_(path),
      source_(path.string()),
      root_(checked_root(archive_, source_)),
      file_bytes_(std::filesystem::file_size(path)),
      pickle_(read_pickle(archive_.read(root_ + "/data.pkl", largest_pickle), source_)) {
  check_storages();
}

/// Also of the tensors that nobody will read.
void ZipContainer::check_storages() const {
  for (const PickleValue* storage : pickle_.storages) {
    const TensorClaim& claim = *storage->tensor;
    const std::string name = fmt::format("{}/data/{}", root_, claim.key);
    if (!archive_.has(name))
      throw Error(
          fmt::format("{}: expected an entry {}, found none", source_, text::printable(name)));
    if (archive_.size(name) != storage_bytes(claim))
      throw Error(fmt::format("{}: {}: expected a storage of {} bytes, found {}", source_,
                              text::printable(name), storage_bytes(claim), archive_.size(name)));
  }
}

std::vector<std::byte> ZipContainer::read(const TensorClaim& claim) const {
  return archive_.read(fmt::format("{}/data/{}", root_, claim.key), storage_bytes(claim));
}

std::string ZipContainer::side_text(const std::string& name) const {
  const std::string entry = root_ + "/" + name;
  if (!archive_.has(entry)) return {};
  const std::vector<std::byte> bytes = archive_.read(entry, largest_side_text);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace yolov7::network
