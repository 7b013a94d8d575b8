#pragma once
// What was measured of images, kept beside the cache of their facts (data 5): decoding is what a
// check spends its time with.
#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "dataset/doctor/look.hpp"
#include "dataset/doctor/raw_rows.hpp"
#include "dataset/similarity/sketch.hpp"

namespace yolov7::dataset::doctor {

struct Measures {
  Look look;
  similarity::Sketch sketch;
};

/// What measures depend on: the bytes of the image (their content_hash()) and the numbers of its
/// boxes. 32 hexadecimal digits. Measures under a key are never out of date: another image, and
/// another box, have another key.
std::string measure_key(std::string_view content_hash, const std::vector<RawRow>& rows);

/// Where measures are kept beside the facts in `index_cache`; empty where that is empty.
std::filesystem::path measures_file(const std::filesystem::path& index_cache);

class MeasureCache {
 public:
  /// Adds what the file holds. Where there is none, nothing; a file that was cut or changed is said
  /// and not used further than to the damage.
  void load(const std::filesystem::path& file);
  /// False where the key is not known.
  bool find(const std::string& key, Look& look, similarity::Sketch& sketch) const;
  /// From several threads, but not beside find().
  void put(std::string key, Measures measures);
  bool holds(const std::string& key) const { return known_.contains(key); }
  std::unordered_set<std::string> keys() const;
  void clear() { known_.clear(); }

 private:
  std::unordered_map<std::string, Measures> known_;
  std::mutex mutex_;
};

struct KeptMeasures {
  std::string key;
  const Look* look;
  const similarity::Sketch* sketch;
};

/// Replaces the file. One that cannot be written is a warning, not an Error.
void save_measures(const std::filesystem::path& file, const std::vector<KeptMeasures>& measures);

}  // namespace yolov7::dataset::doctor
