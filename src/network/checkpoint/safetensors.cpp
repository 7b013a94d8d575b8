#include "network/checkpoint/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "network/checkpoint/checkpoint_meta.hpp"
#include "network/checkpoint/official_checkpoint.hpp"

namespace yolov7::network {
namespace {

constexpr std::uint64_t largest_header = 8u << 20;
constexpr const char* description_key = "yolov7.cpp";

struct Type {
  const char* name;
  DataType type;
  std::size_t bytes;  ///< of one element in the file
};
/// Those that a Tensor holds come first; the others are widened to int64 when read, bool to uint8.
constexpr Type types[] = {{"F16", DataType::float16, 2}, {"BF16", DataType::bfloat16, 2},
                          {"F32", DataType::float32, 4}, {"F64", DataType::float64, 8},
                          {"I64", DataType::int64, 8},   {"U8", DataType::uint8, 1},
                          {"I32", DataType::int64, 4},   {"I16", DataType::int64, 2},
                          {"I8", DataType::int64, 1},    {"BOOL", DataType::uint8, 1}};

struct Entry {
  std::string name;
  Type type{};
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;
};

/// Like parse_json(), but a repeated name is an error, because readers differ in which value they
/// keep.
nlohmann::json parse_header(const std::string& text, const std::string& source) {
  std::vector<std::set<std::string>> names;
  const auto watch = [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
    if (depth > 8)
      throw Error(
          fmt::format("{}: header: expected at most 8 levels of nesting, found more", source));
    if (event == nlohmann::json::parse_event_t::object_start) names.emplace_back();
    if (event == nlohmann::json::parse_event_t::object_end && !names.empty()) names.pop_back();
    if (event == nlohmann::json::parse_event_t::key && !names.empty() &&
        !names.back().insert(value.get<std::string>()).second)
      throw Error(fmt::format("{}: header: expected each name once, found '{}' twice", source,
                              text::printable(value.get<std::string>())));
    return true;
  };
  try {
    return nlohmann::json::parse(text, watch);
  } catch (const nlohmann::json::exception& error) {
    throw Error(fmt::format("{}: header: {}", source, text::printable(error.what())));
  }
}

/// What stands in a header, for messages: at most 60 bytes of it.
std::string found_text(const nlohmann::json& value) {
  return text::printable(
      value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace).substr(0, 60));
}

Entry read_entry(const std::string& name, const nlohmann::json& value, std::uint64_t data_bytes,
                 const std::string& source) {
  const std::string where = fmt::format("{}: {}", source, text::printable(name));
  Entry entry;
  entry.name = name;
  const bool formed = value.is_object() && value.contains("dtype") && value["dtype"].is_string() &&
                      value.contains("shape") && value["shape"].is_array() &&
                      value.contains("data_offsets") && value["data_offsets"].is_array() &&
                      value["data_offsets"].size() == 2;
  if (!formed)
    throw Error(fmt::format("{}: expected dtype, shape and data_offsets, found {}", where,
                            found_text(value)));
  if (value["shape"].size() > 8)
    throw Error(fmt::format("{}: expected a shape of at most 8 sides, found {}", where,
                            value["shape"].size()));
  const std::string type = value["dtype"].get<std::string>();
  const auto known = std::find_if(std::begin(types), std::end(types),
                                  [&](const Type& t) { return type == t.name; });
  if (known == std::end(types))
    throw Error(fmt::format("{}: unsupported type '{}'", where, text::printable(type)));
  entry.type = *known;
  for (const auto& offset : value["data_offsets"])
    if (!offset.is_number_unsigned())
      throw Error(fmt::format("{}: expected whole numbers as offsets, found {}", where,
                              found_text(offset)));
  entry.begin = value["data_offsets"][0].get<std::uint64_t>();
  entry.end = value["data_offsets"][1].get<std::uint64_t>();
  if (entry.begin > entry.end || entry.end > data_bytes)
    throw Error(fmt::format("{}: offsets {} to {} lie outside the {} bytes of data", where,
                            entry.begin, entry.end, data_bytes));
  std::uint64_t elements = 1;
  for (const auto& side : value["shape"]) {
    if (!side.is_number_unsigned() || side.get<std::uint64_t>() > (std::uint64_t{1} << 40))
      throw Error(
          fmt::format("{}: expected a shape of whole numbers, found {}", where, found_text(side)));
    const std::uint64_t n = side.get<std::uint64_t>();
    if (n != 0 && elements > (std::uint64_t{1} << 44) / n)
      throw Error(where + ": the tensor is too large");
    elements *= n;
    entry.shape.push_back(static_cast<std::int64_t>(n));
  }
  if (elements * entry.type.bytes != entry.end - entry.begin)
    throw Error(fmt::format("{}: expected {} bytes for its type and shape, found {}", where,
                            elements * entry.type.bytes, entry.end - entry.begin));
  return entry;
}

/// Error unless every byte of the data belongs to exactly one tensor.
void check_layout(std::vector<Entry>& entries, std::uint64_t data_bytes,
                  const std::string& source) {
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.begin != b.begin ? a.begin < b.begin : a.end < b.end;
  });
  std::uint64_t at = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != at)
      throw Error(fmt::format("{}: {}: expected data that begins at byte {}, found byte {} ({})",
                              source, text::printable(entry.name), at, entry.begin,
                              entry.begin < at ? "an overlap" : "a gap"));
    at = entry.end;
  }
  if (at != data_bytes)
    throw Error(fmt::format("{}: {} bytes of data belong to no tensor", source, data_bytes - at));
}

void widen(Tensor& tensor, const Type& type) {
  if (type.bytes == size_in_bytes(type.type)) return;
  std::vector<std::byte> wide(static_cast<std::size_t>(tensor.elements()) * 8);
  for (std::size_t i = 0; i < wide.size() / 8; ++i) {
    std::uint64_t bits = 0;
    for (std::size_t b = 0; b < type.bytes; ++b)
      bits |= static_cast<std::uint64_t>(tensor.bytes[i * type.bytes + b]) << (8 * b);
    if ((bits >> (8 * type.bytes - 1) & 1) != 0) bits |= ~std::uint64_t{0} << (8 * type.bytes);
    std::memcpy(wide.data() + i * 8, &bits, 8);
  }
  tensor.bytes = std::move(wide);
}

const char* type_name(DataType type) {
  for (const Type& known : types)
    if (known.type == type) return known.name;
  throw Error("safetensors: unknown tensor type");
}

struct Head {
  std::uint64_t header_bytes = 0, file_bytes = 0;
  char first = 0;
};
Head read_head(const std::filesystem::path& path) {
  Head head;
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return head;
  head.file_bytes = std::filesystem::file_size(path, error);
  std::ifstream in(path, std::ios::binary);
  char bytes[9] = {};
  if (in.read(bytes, 9)) {
    std::memcpy(&head.header_bytes, bytes, 8);
    head.first = bytes[8];
  }
  return head;
}

}  // namespace

bool begins_safetensors(const std::filesystem::path& path) {
  const Head head = read_head(path);
  // Real headers are shorter than 2^32 bytes. In a text file with a brace at byte 8 the upper bytes
  // of this number are not 0.
  return head.first == '{' && head.header_bytes < (std::uint64_t{1} << 32);
}

SafetensorsFile read_safetensors(const std::filesystem::path& path) {
  const std::string source = path.string();
  const Head head = read_head(path);
  if (std::error_code error; !std::filesystem::is_regular_file(path, error))
    throw Error(fmt::format("{}: expected a safetensors file, found no regular file", source));
  if (head.first != '{')
    throw Error(
        fmt::format("{}: expected a safetensors header, which begins with '{{' at byte 8, "
                    "found another byte or a shorter file",
                    source));
  if (head.header_bytes > largest_header || head.header_bytes > head.file_bytes - 8)
    throw Error(
        fmt::format("{}: expected a safetensors header of at most {} bytes that fits in "
                    "the file's {} bytes, found a length of {}",
                    source, largest_header, head.file_bytes, head.header_bytes));
  std::ifstream in(path, std::ios::binary);
  in.seekg(8);
  std::string text(head.header_bytes, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!in) throw Error(fmt::format("{}: cannot be read", source));
  const nlohmann::json header = parse_header(text, source);
  const std::uint64_t data_bytes = head.file_bytes - 8 - head.header_bytes;
  SafetensorsFile file;
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name != "__metadata__") {
      entries.push_back(read_entry(name, value, data_bytes, source));
      continue;
    }
    if (!value.is_object())
      throw Error(fmt::format("{}: __metadata__: expected an object of texts, found {}", source,
                              found_text(value)));
    for (const auto& [key, note] : value.items()) {
      if (!note.is_string())
        throw Error(fmt::format("{}: __metadata__: '{}': expected a text, found {}", source,
                                text::printable(key), found_text(note)));
      file.metadata[key] = note.get<std::string>();
    }
  }
  check_layout(entries, data_bytes, source);
  for (const Entry& entry : entries) {
    Tensor tensor;
    tensor.type = entry.type.type;
    tensor.shape = entry.shape;
    tensor.bytes.resize(entry.end - entry.begin);
    in.read(reinterpret_cast<char*>(tensor.bytes.data()),
            static_cast<std::streamsize>(tensor.bytes.size()));
    if (!in)
      throw Error(fmt::format("{}: {}: expected {} bytes, found the end of the file", source,
                              text::printable(entry.name), tensor.bytes.size()));
    widen(tensor, entry.type);
    file.weights.set(entry.name, std::move(tensor));
  }
  return file;
}

void write_safetensors(const std::filesystem::path& path, const SafetensorsFile& content) {
  nlohmann::ordered_json header;
  if (!content.metadata.empty()) header["__metadata__"] = content.metadata;
  std::uint64_t at = 0;
  for (const auto& [name, tensor] : content.weights.entries()) {
    header[name] = {{"dtype", type_name(tensor.type)},
                    {"shape", tensor.shape},
                    {"data_offsets", {at, at + tensor.bytes.size()}}};
    at += tensor.bytes.size();
  }
  std::string text = header.is_null() ? "{}" : header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const std::uint64_t length = text.size();
  file::replace_atomically(path, [&](const std::filesystem::path& temporary) {
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(&length), 8);
    out << text;
    for (const auto& entry : content.weights.entries())
      out.write(reinterpret_cast<const char*>(entry.second.bytes.data()),
                static_cast<std::streamsize>(entry.second.bytes.size()));
    out.close();
    if (!out) throw Error(fmt::format("{}: cannot write: disk full?", path.string()));
  });
}

Checkpoint read_safetensors_checkpoint(const std::filesystem::path& path) {
  const std::string source = path.string();
  SafetensorsFile file = read_safetensors(path);
  const auto description = file.metadata.find(description_key);
  const bool described = description != file.metadata.end();
  Checkpoint c = describe_tensors(std::move(file.weights),
                                  described ? description->second : std::string(), {}, source);
  if (!described) {
    c.facts.notes.push_back("the file names no classes: they are numbered");
    for (int i = 0; i < c.class_count; ++i) c.names.push_back(fmt::format("{}", i));
  }
  c.facts.container = "safetensors";
  return c;
}

void write_safetensors_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint) {
  write_safetensors(path, {checkpoint.inference_weights(),
                           {{"format", "pt"}, {description_key, meta_text(checkpoint, false)}}});
}

}  // namespace yolov7::network
