#pragma once
// What the golden tests share: the formulas that stand for weights and inputs, where the reference
// values lie, and how a tensor is compared with its digest. Torch-free. The formulas: 64-bit
// arithmetic that wraps; see unit() and sym().
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace yolov7::golden {

inline std::uint64_t fnv1a64(std::string_view name) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return h;
}
/// The finaliser of SplitMix64.
inline std::uint64_t finalize(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

/// unit(i) in [0, 1) and sym(i) in [−1, 1) of one name; i runs over the flattened tensor from 0.
class Sequence {
 public:
  explicit Sequence(std::string_view name) : hash_(fnv1a64(name)) {}
  double unit(std::uint64_t i) const {
    return static_cast<double>(finalize(hash_ + (i + 1) * 0x9E3779B97F4A7C15u) >> 40) / 16777216.0;
  }
  double sym(std::uint64_t i) const { return 2 * unit(i) - 1; }

 private:
  std::uint64_t hash_;
};
inline double unit(std::string_view name, std::uint64_t i) { return Sequence(name).unit(i); }
inline double sym(std::string_view name, std::uint64_t i) { return Sequence(name).sym(i); }

/// $YOLOV7_SHARED_DIR, else the folder "shared" beside the source tree: golden, images,
/// checkpoints, datasets.
inline std::filesystem::path shared_dir() {
  if (const char* set = std::getenv("YOLOV7_SHARED_DIR"); set && *set) return set;
  return std::filesystem::path(YOLOV7_SOURCE_DIR).parent_path() / "shared";
}
/// $YOLOV7_GOLDEN_DIR, else shared_dir()/golden.
inline std::filesystem::path golden_dir() {
  if (const char* set = std::getenv("YOLOV7_GOLDEN_DIR"); set && *set) return set;
  return shared_dir() / "golden";
}
/// With CI=true missing reference data is a failure, not a reason to skip.
inline bool reference_data_required() {
  const char* ci = std::getenv("CI");
  return ci && std::string_view(ci) == "true";
}

/// Stands at the start of a test body: ends the test, skipped or failed, where `folder` is missing.
/// ctest reads "reference data missing" and shows the entry as skipped.
#define YOLOV7_REQUIRE_REFERENCE(folder)                                                       \
  do {                                                                                         \
    const std::filesystem::path required_ = (folder);                                          \
    if (!std::filesystem::exists(required_)) {                                                 \
      if (yolov7::golden::reference_data_required())                                           \
        FAIL() << "CI=true and no reference data at " << required_.string();                   \
      std::printf("reference data missing: %s (set YOLOV7_SHARED_DIR or YOLOV7_GOLDEN_DIR)\n", \
                  required_.c_str());                                                          \
      GTEST_SKIP() << "reference data missing: " << required_.string();                        \
    }                                                                                          \
  } while (false)

/// Files <prefix>*.json of golden_dir(), sorted; listed when the test runs, so that new cases count
/// at once.
inline std::vector<std::filesystem::path> golden_files(const std::string& prefix) {
  std::vector<std::filesystem::path> found;
  for (const auto& entry : std::filesystem::directory_iterator(golden_dir())) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(".json")) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

inline nlohmann::json load(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot open " + path.string());
  return nlohmann::json::parse(in);
}

/// Counts the cases of one pattern, names those left out, and fails where there was none to run.
class Cases {
 public:
  explicit Cases(std::string pattern) : pattern_(std::move(pattern)) {}
  Cases(const Cases&) = delete;
  Cases& operator=(const Cases&) = delete;
  void ran() { ++ran_; }
  void skipped(const std::string& name, const std::string& reason) {
    ++skipped_;
    std::printf("golden.%s: skipped %s: %s\n", pattern_.c_str(), name.c_str(), reason.c_str());
  }
  ~Cases() {
    std::printf("golden.%s: %zu cases, %zu skipped\n", pattern_.c_str(), ran_, skipped_);
    if (ran_ == 0)
      ADD_FAILURE() << "golden." << pattern_ << ": the pattern is present but yielded no case";
  }

 private:
  std::string pattern_;
  std::size_t ran_ = 0, skipped_ = 0;
};

/// Shape, mean, standard deviation (n − 1), largest absolute value, and some values by flat index.
struct Digest {
  std::vector<std::int64_t> shape;
  double mean = 0, std = 0, absmax = 0;
  std::vector<std::pair<std::size_t, double>> samples;
};

inline Digest read_digest(const nlohmann::json& value) {
  Digest digest;
  digest.shape = value.at("shape").get<std::vector<std::int64_t>>();
  digest.mean = value.at("mean");
  digest.std = value.at("std");
  digest.absmax = value.at("absmax");
  for (const auto& sample : value.at("samples"))
    digest.samples.emplace_back(sample.at(0), sample.at(1));
  return digest;
}

/// The digest of `count` numbers (float or double), summed in double in index order, sampled where
/// `wanted` is.
template <class T>
Digest digest_of(const T* values, std::size_t count, const std::vector<std::int64_t>& shape,
                 const Digest& wanted) {
  Digest digest;
  digest.shape = shape;
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < count; ++i) {
    sum += values[i];
    digest.absmax = std::max(digest.absmax, std::abs(static_cast<double>(values[i])));
  }
  digest.mean = count ? sum / static_cast<double>(count) : 0;
  for (std::size_t i = 0; i < count; ++i)
    squares += (values[i] - digest.mean) * (values[i] - digest.mean);
  digest.std = count > 1 ? std::sqrt(squares / static_cast<double>(count - 1)) : 0;
  for (const auto& sample : wanted.samples)
    digest.samples.emplace_back(
        sample.first, sample.first < count ? static_cast<double>(values[sample.first]) : NAN);
  return digest;
}

/// Every number within relative · |v| + absolute of the wanted one; `where` opens each message.
inline void expect_digest(const Digest& found, const Digest& wanted, double relative,
                          double absolute, const std::string& where) {
  EXPECT_EQ(found.shape, wanted.shape) << where;
  const auto near = [&](double f, double w, const std::string& what) {
    EXPECT_LE(std::abs(f - w), relative * std::abs(w) + absolute)
        << where << ' ' << what << ": " << f << ", expected " << w;
  };
  near(found.mean, wanted.mean, "mean");
  near(found.std, wanted.std, "std");
  near(found.absmax, wanted.absmax, "absmax");
  ASSERT_EQ(found.samples.size(), wanted.samples.size()) << where;
  for (std::size_t k = 0; k < wanted.samples.size(); ++k)
    near(found.samples[k].second, wanted.samples[k].second,
         "[" + std::to_string(wanted.samples[k].first) + "]");
}

}  // namespace yolov7::golden
