#include "network/torch_container.hpp"

#include <fmt/format.h>

#include <cstring>
#include <fstream>

#include "core/error.hpp"
#include "core/text.hpp"
#include "network/legacy_container.hpp"

namespace yolov7::network {
namespace {

constexpr std::uint64_t largest_pickle = 64u << 20, largest_side_text = 16u << 20;

std::uint64_t storage_bytes(const TensorClaim& claim) { return static_cast<std::uint64_t>(claim.storage_elements) * claim.type.bytes(); }

std::string checked_root(const ArchiveReader& archive, const std::string& source) {
  if (archive.holds_torchscript()) throw Error(fmt::format("{}: a TorchScript archive, which is a program: expected a checkpoint with tensors", source));
  const std::string root = archive.root(), order = root + "/byteorder";
  if (archive.has(order)) {
    const std::vector<std::byte> bytes = archive.read(order, 100);
    const std::string text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    if (text::trim(text) != "little") throw Error(fmt::format("{}: expected little-endian data, found '{}'", source, text::printable(text)));
  }
  return root;
}

/// One element of the file as an int64.
std::int64_t widened(StorageType::Kind kind, const std::byte* at) {
  if (kind == StorageType::Kind::int8) return static_cast<std::int8_t>(*at);
  if (kind == StorageType::Kind::int16) {
    std::int16_t value = 0;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  std::int32_t value = 0;
  std::memcpy(&value, at, sizeof value);
  return value;
}

bool is_contiguous(const TensorClaim& claim) {
  std::int64_t expected = 1;
  for (std::size_t i = claim.shape.size(); i-- > 0;) {
    if (claim.shape[i] != 1 && claim.strides[i] != expected) return false;
    expected *= claim.shape[i];
  }
  return true;
}

/// Offsets of all elements, in order; counts up the indices like an odometer.
template <class Visit>
void for_each_offset(const TensorClaim& claim, std::int64_t count, Visit visit) {
  std::vector<std::int64_t> index(claim.shape.size(), 0);
  std::int64_t at = claim.view_offset + claim.offset;
  for (std::int64_t done = 0; done < count; ++done) {
    visit(at);
    for (std::size_t d = index.size(); d-- > 0;) {
      at += claim.strides[d];
      if (++index[d] < claim.shape[d]) break;
      at -= claim.strides[d] * claim.shape[d];
      index[d] = 0;
    }
  }
}

}  // namespace

ZipContainer::ZipContainer(const std::filesystem::path& path)
    : archive_(path), source_(path.string()), root_(checked_root(archive_, source_)), file_bytes_(std::filesystem::file_size(path)),
      pickle_(read_pickle(archive_.read(root_ + "/data.pkl", largest_pickle), source_)) {
  check_storages();
}

/// Also of the tensors that nobody will read.
void ZipContainer::check_storages() const {
  for (const PickleValue* storage : pickle_.storages) {
    const TensorClaim& claim = *storage->tensor;
    const std::string name = fmt::format("{}/data/{}", root_, claim.key);
    if (!archive_.has(name)) throw Error(fmt::format("{}: expected an entry {}, found none", source_, text::printable(name)));
    if (archive_.size(name) != storage_bytes(claim))
      throw Error(fmt::format("{}: {}: expected a storage of {} bytes, found {}", source_, text::printable(name), storage_bytes(claim), archive_.size(name)));
  }
}

std::vector<std::byte> ZipContainer::read(const TensorClaim& claim) const { return archive_.read(fmt::format("{}/data/{}", root_, claim.key), storage_bytes(claim)); }

std::string ZipContainer::side_text(const std::string& name) const {
  const std::string entry = root_ + "/" + name;
  if (!archive_.has(entry)) return {};
  const std::vector<std::byte> bytes = archive_.read(entry, largest_side_text);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::unique_ptr<TorchContainer> open_torch_container(const std::filesystem::path& path) {
  std::string first(300, '\0');
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return std::make_unique<ZipContainer>(path);  // which says what is wrong
  if (std::ifstream in(path, std::ios::binary); in) {
    in.read(first.data(), static_cast<std::streamsize>(first.size()));
    first.resize(static_cast<std::size_t>(in.gcount()));
  }
  if (LegacyContainer::begins_one(first)) return std::make_unique<LegacyContainer>(path);
  if (first.size() > 262 && first.compare(257, 5, "ustar") == 0) throw Error(fmt::format("{}: the tar-based format of PyTorch before 0.1.11 is unsupported", path.string()));
  return std::make_unique<ZipContainer>(path);
}

TensorReader::TensorReader(const TorchContainer& container, std::string source) : container_(container), source_(std::move(source)) {}

const std::vector<std::byte>& TensorReader::storage(const TensorClaim& claim) {
  if (cached_key_ == claim.key && cached_.size() == storage_bytes(claim)) return cached_;
  storage_bytes_ += storage_bytes(claim);
  if (storage_bytes_ / 8 > container_.file_bytes() + (8u << 20)) throw Error(fmt::format("{}: too many tensors share storages", source_));
  cached_ = container_.read(claim);
  cached_key_ = claim.key;
  return cached_;
}

Tensor TensorReader::read(const TensorClaim& claim, const std::string& name) {
  Tensor tensor;
  tensor.type = claim.type.type;
  tensor.shape = claim.shape;
  const std::int64_t count = tensor.elements();
  tensor_bytes_ += static_cast<std::uint64_t>(count) * size_in_bytes(tensor.type);
  // Widening takes up to eight bytes for one; views of one storage may overlap a little in honest files.
  if (tensor_bytes_ / 8 > container_.file_bytes() + (1u << 20)) throw Error(fmt::format("{}: {}: the tensors claim more than the file holds", source_, text::printable(name)));
  if (count == 0) return tensor;
  const bool whole = count == claim.storage_elements && is_contiguous(claim) && claim.type.kind == StorageType::Kind::plain;
  if (whole && cached_key_ != claim.key) {
    storage_bytes_ += storage_bytes(claim);
    tensor.bytes = container_.read(claim);
    return tensor;
  }
  const std::vector<std::byte>& bytes = storage(claim);
  const std::size_t from_size = claim.type.bytes(), to_size = size_in_bytes(tensor.type);
  tensor.bytes.resize(static_cast<std::size_t>(count) * to_size);
  std::byte* to = tensor.bytes.data();
  for_each_offset(claim, count, [&](std::int64_t at) {
    const std::byte* from = bytes.data() + static_cast<std::size_t>(at) * from_size;
    if (claim.type.kind == StorageType::Kind::plain) {
      std::memcpy(to, from, to_size);
    } else {
      const std::int64_t value = widened(claim.type.kind, from);
      std::memcpy(to, &value, sizeof value);
    }
    to += to_size;
  });
  return tensor;
}

}  // namespace yolov7::network
