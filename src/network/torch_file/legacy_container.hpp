#pragma once
// The container of PyTorch before 1.6 (architecture 6.7): five pickles one after the other, then
// the storages.
#include <fstream>
#include <map>
#include <string_view>

#include "network/torch_file/torch_container.hpp"

namespace yolov7::network {

class LegacyContainer final : public TorchContainer {
 public:
  /// Whether a file that starts so is of this form.
  static bool begins_one(std::string_view first_bytes);
  /// Errors: another version, big-endian, storages that the list of keys lacks or names twice,
  /// element counts that disagree, anything left over or missing at the end.
  explicit LegacyContainer(const std::filesystem::path& path);
  const PickleDocument& pickle() const override { return pickle_; }
  std::string kind() const override { return "legacy"; }
  std::uint64_t file_bytes() const override { return file_bytes_; }
  std::vector<std::byte> read(const TensorClaim& claim) const override;
  std::string side_text(const std::string&) const override { return {}; }

 private:
  struct Place {
    std::uint64_t offset = 0, bytes = 0;
  };
  /// The next pickle; `from` moves behind it.
  PickleDocument next(std::span<const std::byte> bytes, std::size_t& from) const;
  void check_system(const PickleDocument& info) const;
  void place_storages(const PickleDocument& keys, std::uint64_t from);
  std::vector<std::byte> bytes_at(std::uint64_t offset, std::uint64_t count) const;

  mutable std::ifstream in_;
  std::string source_;
  std::uint64_t file_bytes_ = 0;
  PickleDocument pickle_;
  std::map<std::string, Place> places_;
};

}  // namespace yolov7::network
