#include "dataset/doctor/measure_cache.hpp"

#include <fmt/format.h>

#include <cstring>
#include <fstream>
#include <system_error>
#include <utility>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/log.hpp"

namespace yolov7::dataset::doctor {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t key_size = 32, hash_size = 32;
/// Changes with what look_at() measures.
constexpr int look_version = 3;

std::string header() {
  return fmt::format("yolov7.cpp image measures, format {}.{}\n", look_version,
                     similarity::sketch_version);
}

/// Every field in its order, for reading and for writing.
template <class L, class S, class Field>
void each_field(L& look, S& sketch, const Field& field) {
  field(look.taken), field(look.stored.format), field(look.stored.channels);
  field(look.stored.bits), field(look.stored.cmyk), field(look.gray);
  field(look.mean), field(look.spread), field(look.low), field(look.middle), field(look.high);
  field(look.fine_octave), field(look.fine_octaves), field(look.contrast), field(look.boxes);
  field(look.whole), field(look.votes);
  field(sketch.width), field(sketch.height), field(sketch.plain), field(sketch.darkest);
  field(sketch.step), field(sketch.gray), field(sketch.colour), field(sketch.directions);
}

std::string bytes_of(const Look& look, const similarity::Sketch& sketch) {
  std::string bytes;
  each_field(look, sketch, [&](const auto& field) {
    bytes.append(reinterpret_cast<const char*>(&field), sizeof field);
  });
  return bytes;
}

Measures from_bytes(std::string_view bytes) {
  Measures measures;
  each_field(measures.look, measures.sketch, [&](auto& field) {
    std::memcpy(&field, bytes.data(), sizeof field);
    bytes.remove_prefix(sizeof field);
  });
  return measures;
}

/// Key, fields, and the hash of both.
std::string record_of(const KeptMeasures& one) {
  std::string record = one.key + bytes_of(*one.look, *one.sketch);
  return record + file::content_hash(record);
}

}  // namespace

std::string measure_key(std::string_view content_hash, const std::vector<RawRow>& rows) {
  std::string all(content_hash);
  for (const RawRow& row : rows) {
    if (!row.is_box()) continue;
    const Numbers numbers = row.numbers();
    all.append(reinterpret_cast<const char*>(numbers.data()), sizeof numbers);
  }
  return file::content_hash(all);
}

fs::path measures_file(const fs::path& index_cache) {
  if (index_cache.empty()) return {};
  return fs::path(index_cache).replace_extension(".yolov7-looks");
}

void MeasureCache::load(const fs::path& file) {
  std::error_code error;
  if (file.empty() || !fs::exists(file, error)) return;
  std::ifstream stream(file, std::ios::binary);
  const std::string expected = header();
  std::string found(expected.size(), '\0');
  if (!stream.read(found.data(), static_cast<std::streamsize>(found.size())) || found != expected) {
    log::info(file.string() + ": measures of another version: the images are measured again");
    return;
  }
  const std::size_t size = key_size + bytes_of({}, {}).size();
  std::string record(size + hash_size, '\0');
  while (stream.read(record.data(), static_cast<std::streamsize>(record.size()))) {
    const std::string_view content = std::string_view(record).substr(0, size);
    if (file::content_hash(content) != std::string_view(record).substr(size)) break;
    known_.emplace(content.substr(0, key_size), from_bytes(content.substr(key_size)));
  }
  if (!stream.eof() || stream.gcount() != 0)
    log::warning(file.string() + ": was cut or changed: some images are measured again");
}

bool MeasureCache::find(const std::string& key, Look& look, similarity::Sketch& sketch) const {
  const auto found = known_.find(key);
  if (found == known_.end()) return false;
  look = found->second.look;
  sketch = found->second.sketch;
  return true;
}

void MeasureCache::put(std::string key, Measures measures) {
  const std::lock_guard lock(mutex_);
  known_.insert_or_assign(std::move(key), std::move(measures));
}

std::unordered_set<std::string> MeasureCache::keys() const {
  std::unordered_set<std::string> keys;
  for (const auto& [key, measures] : known_) keys.insert(key);
  return keys;
}

void save_measures(const fs::path& file, const std::vector<KeptMeasures>& measures) {
  if (file.empty()) return;
  try {
    file::replace_atomically(file, [&](const fs::path& temporary) {
      std::ofstream stream(temporary, std::ios::binary);
      stream << header();
      for (const KeptMeasures& one : measures) stream << record_of(one);
      if (!stream.flush()) throw Error(temporary.string() + ": cannot be written");
    });
  } catch (const Error& error) {
    log::warning(fmt::format("{}; going on without a cache of measures", error.what()));
  }
}

}  // namespace yolov7::dataset::doctor
