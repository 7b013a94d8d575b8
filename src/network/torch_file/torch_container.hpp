#pragma once
// The files of torch.save: a pickle and the storages that its tensors are views of
// (architecture 6.6, 6.7).
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "network/torch_file/pickle.hpp"

namespace yolov7::network {

class TorchContainer {
 public:
  TorchContainer() = default;
  TorchContainer(const TorchContainer&) = delete;
  TorchContainer& operator=(const TorchContainer&) = delete;
  virtual ~TorchContainer() = default;
  virtual const PickleDocument& pickle() const = 0;
  virtual std::string kind() const = 0;  ///< "zip" or "legacy"
  virtual std::uint64_t file_bytes() const = 0;
  /// All bytes of a storage. Error: no such storage, or another size than the claim's.
  virtual std::vector<std::byte> read(const TensorClaim& claim) const = 0;
  /// A text beside the pickle ("" = none); only files of this program have one.
  virtual std::string side_text(const std::string& name) const = 0;
};

/// Of a claim's whole storage.
std::uint64_t storage_bytes(const TensorClaim& claim);

/// Copies views out of their storages, and bounds what a file can make the program allocate: views
/// may overlap, so a small file could claim tensors without end.
class TensorReader {
 public:
  TensorReader(const TorchContainer& container, std::string source);
  /// Contiguous, of the claim's shape; small integers widened. Error names `name`.
  Tensor read(const TensorClaim& claim, const std::string& name);

 private:
  const std::vector<std::byte>& storage(const TensorClaim& claim);
  const TorchContainer& container_;
  std::string source_, cached_key_;
  std::vector<std::byte> cached_;
  std::uint64_t tensor_bytes_ = 0, storage_bytes_ = 0;
};

}  // namespace yolov7::network
