#include "video/container_end.hpp"

#include <bit>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

namespace yolov7::video {
namespace {

class File {
 public:
  explicit File(const std::filesystem::path& path) : stream_(path, std::ios::binary) {
    std::error_code error;
    size_ = std::filesystem::file_size(path, error);
    if (error) size_ = 0;
  }
  std::uint64_t size() const { return size_; }
  /// Nothing where that lies behind the end.
  std::optional<std::string> bytes(std::uint64_t at, std::size_t count) {
    if (at > size_ || size_ - at < count) return std::nullopt;
    std::string found(count, '\0');
    stream_.seekg(static_cast<std::streamoff>(at));
    if (!stream_.read(found.data(), static_cast<std::streamsize>(count))) return std::nullopt;
    return found;
  }
  ContainerEnd end_of(std::uint64_t at, std::uint64_t length) const {
    return at > size_ || length > size_ - at ? ContainerEnd::cut : ContainerEnd::whole;
  }

 private:
  std::ifstream stream_;
  std::uint64_t size_ = 0;
};

std::uint64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}
std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (auto c = bytes.rbegin(); c != bytes.rend(); ++c)
    value = value << 8 | static_cast<unsigned char>(*c);
  return value;
}

/// Boxes one after the other. Bytes behind the last one that are none do no harm to any frame.
ContainerEnd boxes_end(File& file) {
  for (std::uint64_t at = 0;;) {
    const auto head = file.bytes(at, 8);
    if (!head) return ContainerEnd::whole;
    std::uint64_t size = big_endian(head->substr(0, 4));
    if (size == 0) return ContainerEnd::whole;  // to the end, wherever that is
    if (size == 1) {
      const auto more = file.bytes(at + 8, 8);
      if (!more) return ContainerEnd::cut;
      size = big_endian(*more);
    }
    const std::string type = head->substr(4);
    if (size < 8 || (type != "mdat" && type != "moof" && type != "moov" &&
                     file.end_of(at, size) == ContainerEnd::cut))
      return ContainerEnd::whole;
    if (file.end_of(at, size) == ContainerEnd::cut) return ContainerEnd::cut;
    at += size;
  }
}

/// EBML's head, then the segment, which may be of unknown length (live recordings).
ContainerEnd segment_end(File& file) {
  for (std::uint64_t at = 0;;) {
    const auto id_start = file.bytes(at, 1);
    if (!id_start) return ContainerEnd::unknown;
    const auto id_bytes =
        static_cast<unsigned>(std::countl_zero(static_cast<unsigned char>((*id_start)[0])) + 1);
    const auto id = file.bytes(at, id_bytes), length_start = file.bytes(at + id_bytes, 1);
    if (id_bytes > 4 || !id || !length_start) return ContainerEnd::unknown;
    const auto length_bytes =
        static_cast<unsigned>(std::countl_zero(static_cast<unsigned char>((*length_start)[0])) + 1);
    const auto length = file.bytes(at + id_bytes, length_bytes);
    if (length_bytes > 8 || !length) return ContainerEnd::unknown;
    const std::uint64_t mask = (std::uint64_t{1} << (7 * length_bytes)) - 1,
                        size = big_endian(*length) & mask;
    if (size == mask) return ContainerEnd::unknown;
    at += id_bytes + length_bytes;
    if (big_endian(*id) == 0x18538067) return file.end_of(at, size);
    if (file.end_of(at, size) == ContainerEnd::cut) return ContainerEnd::unknown;
    at += size;
  }
}

/// RIFF chunks, several in large files.
ContainerEnd riff_end(File& file) {
  for (std::uint64_t at = 0;;) {
    const auto head = file.bytes(at, 8);
    if (!head || !head->starts_with("RIFF"))
      return at == 0 ? ContainerEnd::unknown : ContainerEnd::whole;
    const std::uint64_t size = little_endian(head->substr(4));
    // Recorders that are stopped leave these.
    if (size == 0 || size == 0xFFFFFFFF) return ContainerEnd::unknown;
    if (file.end_of(at + 8, size) == ContainerEnd::cut) return ContainerEnd::cut;
    at += 8 + size + (size & 1);
  }
}

}  // namespace

ContainerEnd container_end(const std::filesystem::path& path) {
  File file(path);
  const auto head = file.bytes(0, 12);
  if (!head) return ContainerEnd::unknown;
  if (head->starts_with("\x1a\x45\xdf\xa3")) return segment_end(file);
  if (head->starts_with("RIFF") && head->substr(8) == "AVI ") return riff_end(file);
  for (const char* type : {"ftyp", "moov", "mdat", "free", "skip", "wide"})
    if (head->substr(4, 4) == type) return boxes_end(file);
  return ContainerEnd::unknown;
}

}  // namespace yolov7::video
