#include "network/torch_file/torch_container.hpp"

#include <fmt/format.h>

#include <cstring>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::network {
namespace {

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

std::uint64_t storage_bytes(const TensorClaim& claim) {
  return static_cast<std::uint64_t>(claim.storage_elements) * claim.type.bytes();
}

TensorReader::TensorReader(const TorchContainer& container, std::string source)
    : container_(container), source_(std::move(source)) {}

const std::vector<std::byte>& TensorReader::storage(const TensorClaim& claim) {
  if (cached_key_ == claim.key && cached_.size() == storage_bytes(claim)) return cached_;
  storage_bytes_ += storage_bytes(claim);
  if (storage_bytes_ / 8 > container_.file_bytes() + (8u << 20))
    throw Error(fmt::format("{}: too many tensors share storages", source_));
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
  // Widening takes up to eight bytes for one; views of one storage may overlap a little in honest
  // files.
  if (tensor_bytes_ / 8 > container_.file_bytes() + (1u << 20))
    throw Error(fmt::format("{}: {}: the tensors claim more than the file holds", source_,
                            text::printable(name)));
  if (count == 0) return tensor;
  const bool whole = count == claim.storage_elements && is_contiguous(claim) &&
                     claim.type.kind == StorageType::Kind::plain;
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
