#pragma once
// Whether the store still holds what its names say.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <vector>

#include "versions/store.hpp"

namespace yolov7::versions {

struct VerifyOptions {
  std::vector<Digest> only;  ///< these versions; empty: everything that any version names
  int threads = 0;           ///< 0 = usable cores
  std::stop_token stop = {};
};

/// A text or an object that is damaged or gone, and who needs it.
struct Damage {
  std::string what;                   ///< "the image ab12… is damaged: expected …, found …"
  std::vector<std::string> versions;  ///< "name@v3 (…)"
  std::vector<std::string> paths;     ///< images that it takes with it; at most ten
};

struct Verified {
  std::size_t versions = 0, texts = 0, objects = 0;
  std::uint64_t bytes = 0;  ///< that were read
  std::vector<Damage> damages;
};

/// Reads and hashes everything. Errors: the database cannot be read, stopped_error().
Verified verify(Store& store, const VerifyOptions& options);

}  // namespace yolov7::versions
