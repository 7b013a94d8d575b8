#include "versions/tar.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::versions {
namespace {

constexpr std::size_t block = 512, name_bytes = 100, size_at = 124, size_bytes = 12,
                      checksum_at = 148, checksum_bytes = 8, type_at = 156, magic_at = 257;
constexpr std::uint64_t most_bytes = (std::uint64_t{1} << 33) - 1;
using Head = std::array<char, block>;

void put_text(Head& head, std::size_t at, std::string_view text) {
  std::copy(text.begin(), text.end(), head.begin() + static_cast<std::ptrdiff_t>(at));
}

/// Sum of all bytes, those of the checksum counted as blanks.
unsigned checksum(const Head& head) {
  unsigned sum = 0;
  for (std::size_t i = 0; i < block; ++i)
    sum += i >= checksum_at && i < checksum_at + checksum_bytes
               ? unsigned{' '}
               : static_cast<unsigned char>(head[i]);
  return sum;
}

std::optional<std::uint64_t> octal(const Head& head, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  bool any = false;
  for (std::size_t i = at; i < at + bytes; ++i) {
    const char c = head[i];
    if (c == '\0' || c == ' ') {
      if (any) break;
      continue;
    }
    if (c < '0' || c > '7') return std::nullopt;
    value = value * 8 + static_cast<std::uint64_t>(c - '0');
    any = true;
  }
  if (!any) return std::nullopt;
  return value;
}

std::uint64_t padding_of(std::uint64_t bytes) { return (block - bytes % block) % block; }

}  // namespace

TarWriter::TarWriter(const std::filesystem::path& path)
    : path_(path), file_(path, std::ios::binary | std::ios::trunc) {
  if (!file_)
    throw Error(fmt::format("{}: cannot create: {}", path.string(), std::strerror(errno)));
}

void TarWriter::put(std::string_view bytes) {
  file_.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file_)
    throw Error(fmt::format("{}: cannot write: {}", path_.string(), std::strerror(errno)));
}

void TarWriter::pad() { put(std::string(padding_of(size_), '\0')); }

void TarWriter::begin(const std::string& name, std::uint64_t bytes) {
  if (name.size() > name_bytes || bytes > most_bytes)
    throw Error(
        fmt::format("{}: {}: expected a name of up to {} bytes and a file under 8 GiB, "
                    "found {} and {}",
                    path_.string(), name, name_bytes, name.size(), bytes));
  require_complete();
  if (size_ > 0) pad();
  Head head{};
  put_text(head, 0, name);
  put_text(head, 100, fmt::format("{:07o}", 0444));
  put_text(head, 108, fmt::format("{:07o}", 0));
  put_text(head, 116, fmt::format("{:07o}", 0));
  put_text(head, size_at, fmt::format("{:011o}", bytes));
  put_text(head, 136, fmt::format("{:011o}", 0));  // 1 January 1970
  head[type_at] = '0';
  put_text(head, magic_at,
           std::string_view("ustar\0"
                            "00",
                            8));
  put_text(head, checksum_at, fmt::format("{:06o}", checksum(head)));
  head[checksum_at + 7] = ' ';
  put({head.data(), head.size()});
  left_ = size_ = bytes;
}

void TarWriter::write(std::string_view bytes) {
  if (bytes.size() > left_)
    throw Error(fmt::format("{}: expected {} further bytes of an entry, found {}", path_.string(),
                            left_, bytes.size()));
  put(bytes);
  left_ -= bytes.size();
}

void TarWriter::require_complete() const {
  if (left_ > 0)
    throw Error(fmt::format("{}: expected {} further bytes of an entry, found the end",
                            path_.string(), left_));
}

void TarWriter::finish() {
  require_complete();
  pad();
  put(std::string(2 * block, '\0'));
  file_.flush();
  file_.close();
  if (!file_)
    throw Error(fmt::format("{}: cannot write: {}", path_.string(), std::strerror(errno)));
}

TarReader::TarReader(const std::filesystem::path& path)
    : path_(path), file_(path, std::ios::binary) {
  if (!file_ || !std::filesystem::is_regular_file(path))
    throw Error(fmt::format("{}: expected a bundle of versions, found no file", path.string()));
  file_bytes_ = std::filesystem::file_size(path);
}

std::optional<TarEntry> TarReader::next() {
  file_.seekg(static_cast<std::streamoff>(left_ + padding_), std::ios::cur);
  left_ = padding_ = 0;
  Head head{};
  file_.read(head.data(), block);
  if (file_.gcount() != static_cast<std::streamsize>(block))
    throw Error(fmt::format("{}: expected a bundle of versions, found a file that ends too soon",
                            path_.string()));
  if (std::all_of(head.begin(), head.end(), [](char c) { return c == '\0'; })) return std::nullopt;
  const auto sum = octal(head, checksum_at, checksum_bytes);
  const auto bytes = octal(head, size_at, size_bytes);
  if (!sum || *sum != checksum(head) || !bytes)
    throw Error(
        fmt::format("{}: expected a bundle of versions (a tar file), found something else "
                    "or a damaged file",
                    path_.string()));
  TarEntry entry{std::string(head.data(), ::strnlen(head.data(), name_bytes)), *bytes};
  if (head[type_at] != '0' && head[type_at] != '\0')
    throw Error(fmt::format("{}: {}: expected a plain file in the bundle, found another kind",
                            path_.string(), text::printable(entry.name)));
  const auto here = static_cast<std::uint64_t>(file_.tellg());
  if (*bytes > file_bytes_ - std::min(file_bytes_, here))
    throw Error(fmt::format("{}: {}: expected {} bytes, found a file that ends too soon",
                            path_.string(), text::printable(entry.name), *bytes));
  left_ = *bytes;
  padding_ = padding_of(*bytes);
  return entry;
}

std::string TarReader::read(std::size_t most) {
  std::string bytes(static_cast<std::size_t>(std::min<std::uint64_t>(left_, most)), '\0');
  file_.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (file_.gcount() != static_cast<std::streamsize>(bytes.size()))
    throw Error(fmt::format("{}: a file that ends too soon", path_.string()));
  left_ -= bytes.size();
  return bytes;
}

std::string TarReader::read_all(std::uint64_t limit_bytes) {
  if (left_ > limit_bytes)
    throw Error(fmt::format("{}: expected an entry of at most {} bytes, found {}", path_.string(),
                            limit_bytes, left_));
  return read(static_cast<std::size_t>(left_));
}

}  // namespace yolov7::versions
