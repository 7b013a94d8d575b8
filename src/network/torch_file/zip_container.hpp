#pragma once
// The zip container of torch.save (architecture 6.6).
#include <filesystem>
#include <string>
#include <vector>

#include "core/archive.hpp"
#include "network/torch_file/torch_container.hpp"

namespace yolov7::network {

/// The zip form. Errors: TorchScript, big-endian, no or several data.pkl, storages that are missing
/// or of another size.
class ZipContainer final : public TorchContainer {
 public:
  explicit ZipContainer(const std::filesystem::path& path);
  const PickleDocument& pickle() const override { return pickle_; }
  std::string kind() const override { return "zip"; }
  std::uint64_t file_bytes() const override { return file_bytes_; }
  std::vector<std::byte> read(const TensorClaim& claim) const override;
  std::string side_text(const std::string& name) const override;

 private:
  void check_storages() const;
  ArchiveReader archive_;
  std::string source_, root_;
  std::uint64_t file_bytes_;
  PickleDocument pickle_;
};

}  // namespace yolov7::network
