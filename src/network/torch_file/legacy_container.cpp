#include "network/torch_file/legacy_container.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::network {
namespace {

using Kind = PickleValue::Kind;
/// The pickled number 0x1950a86a20f9469cfc6c.
constexpr std::string_view magic("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e",
                                 15);
/// All five pickles together: the limit of one, and a little for the others.
constexpr std::uint64_t largest_head = 72u << 20;

}  // namespace

bool LegacyContainer::begins_one(std::string_view first_bytes) {
  return first_bytes.substr(0, magic.size()) == magic;
}

LegacyContainer::LegacyContainer(const std::filesystem::path& path)
    : in_(path, std::ios::binary),
      source_(path.string()),
      file_bytes_(std::filesystem::file_size(path)) {
  const std::vector<std::byte> head = bytes_at(0, std::min(file_bytes_, largest_head));
  std::size_t at = magic.size();
  const PickleDocument version = next(head, at);
  if (version.top->kind != Kind::integer || version.top->integer != 1001)
    throw Error(fmt::format(
        "{}: expected protocol version 1001 of the legacy format, found another", source_));
  check_system(next(head, at));
  pickle_ = next(head, at);
  const PickleDocument keys = next(head, at);
  place_storages(keys, at);
}

PickleDocument LegacyContainer::next(std::span<const std::byte> bytes, std::size_t& from) const {
  PickleDocument document = read_pickle(bytes.subspan(std::min(from, bytes.size())), source_, true);
  from += document.bytes_read;
  return document;
}

void LegacyContainer::check_system(const PickleDocument& info) const {
  const PickleValue* little = info.top->find("little_endian");
  if (little == nullptr || little->kind != Kind::boolean || little->integer != 1)
    throw Error(fmt::format(
        "{}: expected little-endian data, found another description of the system", source_));
  const PickleValue* sizes = info.top->find("type_sizes");
  for (const auto& [name, bytes] :
       {std::pair<const char*, int>{"short", 2}, {"int", 4}, {"long", 4}}) {
    const PickleValue* size = sizes == nullptr ? nullptr : sizes->find(name);
    if (size != nullptr && (size->kind != Kind::integer || size->integer != bytes))
      throw Error(fmt::format("{}: expected {} bytes for '{}', found another number", source_,
                              bytes, name));
  }
}

void LegacyContainer::place_storages(const PickleDocument& keys, std::uint64_t from) {
  std::map<std::string, const TensorClaim*> claimed;
  for (const PickleValue* storage : pickle_.storages) {
    const auto [place, fresh] = claimed.emplace(storage->tensor->key, storage->tensor.get());
    if (!fresh && (place->second->storage_elements != storage->tensor->storage_elements ||
                   place->second->type.bytes() != storage->tensor->type.bytes()))
      throw Error(fmt::format("{}: the storage '{}' is claimed with two sizes", source_,
                              text::printable(place->first)));
  }
  if (keys.top->kind != Kind::list)
    throw Error(fmt::format("{}: expected a list of storage keys, found something else", source_));
  for (const PickleValue* key : keys.top->sequence) {
    const auto claim = key->kind == Kind::text ? claimed.find(key->text) : claimed.end();
    if (claim == claimed.end())
      throw Error(fmt::format("{}: the list of storages names '{}', which no tensor uses", source_,
                              text::printable(key->text)));
    if (from > file_bytes_ || file_bytes_ - from < 8)
      throw Error(fmt::format("{}: the file was cut before the storage '{}'", source_,
                              text::printable(key->text)));
    std::int64_t elements = 0;
    std::memcpy(&elements, bytes_at(from, 8).data(), 8);
    if (elements != claim->second->storage_elements)
      throw Error(fmt::format("{}: storage '{}': expected {} elements, found {}", source_,
                              text::printable(key->text), claim->second->storage_elements,
                              elements));
    const Place place{from + 8, static_cast<std::uint64_t>(elements) * claim->second->type.bytes()};
    if (place.bytes > file_bytes_ - place.offset)
      throw Error(fmt::format("{}: the file was cut in the storage '{}'", source_,
                              text::printable(key->text)));
    if (!places_.emplace(key->text, place).second)
      throw Error(fmt::format("{}: the storage '{}' stands in it twice", source_,
                              text::printable(key->text)));
    from = place.offset + place.bytes;
  }
  if (places_.size() != claimed.size())
    throw Error(
        fmt::format("{}: expected {} storages, found {}", source_, claimed.size(), places_.size()));
  if (from != file_bytes_)
    throw Error(
        fmt::format("{}: expected the end of the file after the last storage, found {} more bytes",
                    source_, file_bytes_ - from));
}

std::vector<std::byte> LegacyContainer::bytes_at(std::uint64_t offset, std::uint64_t count) const {
  std::vector<std::byte> bytes(count);
  in_.seekg(static_cast<std::streamoff>(offset));
  in_.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(count));
  if (!in_ || static_cast<std::uint64_t>(in_.gcount()) != count)
    throw Error(fmt::format("{}: cannot read {} bytes at {}", source_, count, offset));
  return bytes;
}

std::vector<std::byte> LegacyContainer::read(const TensorClaim& claim) const {
  const auto place = places_.find(claim.key);
  if (place == places_.end())
    throw Error(fmt::format("{}: expected a storage '{}', found none", source_,
                            text::printable(claim.key)));
  return bytes_at(place->second.offset, place->second.bytes);
}

}  // namespace yolov7::network
