#pragma once
// Pickles put together byte by byte, and the zip files around them: what a hostile file can hold.
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/archive.hpp"
#include "network/torch_file/pickle.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::network::hostile {

inline std::string number(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xFF);
  return out;
}
inline std::string text(const std::string& s) {
  return "X" + number(s.size(), 4) + s;
}  // BINUNICODE
inline std::string integer(std::int64_t v) {
  return "\x8a\x08" + number(static_cast<std::uint64_t>(v), 8);
}  // LONG1
inline std::string global(const std::string& module, const std::string& name) {
  return "c" + module + "\n" + name + "\n";
}
inline std::string tuple(const std::vector<std::int64_t>& values) {
  std::string out = "(";
  for (const std::int64_t value : values) out += integer(value);
  return out + "t";
}
inline std::string pickle(const std::string& body) { return "\x80\x02" + body + "."; }

struct FakeTensor {
  std::string key = "0", storage = "FloatStorage";
  std::int64_t elements = 4, offset = 0;
  std::vector<std::int64_t> shape{4}, strides{1};
};
inline std::string tensor(const FakeTensor& c) {
  return global("torch._utils", "_rebuild_tensor_v2") + "((" + text("storage") +
         global("torch", c.storage) + text(c.key) + text("cpu") + integer(c.elements) + "tQ" +
         integer(c.offset) + tuple(c.shape) + tuple(c.strides) + "\x89" +
         global("collections", "OrderedDict") + ")RtR";
}

inline std::span<const std::byte> bytes(const std::string& s) {
  return std::as_bytes(std::span(s.data(), s.size()));
}
inline PickleDocument read(const std::string& body, bool legacy = false) {
  return read_pickle(bytes(body), "x.pt", legacy);
}

inline void write_zip(const std::filesystem::path& path,
                      const std::vector<std::pair<std::string, std::string>>& entries) {
  ArchiveWriter archive(path);
  for (const auto& [name, content] : entries) archive.add(name, bytes(content));
  archive.finish();
}

}  // namespace yolov7::network::hostile
