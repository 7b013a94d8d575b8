#pragma once
// A version as files again.
#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stop_token>
#include <string>

#include "dataset/formats/conversion.hpp"
#include "versions/store.hpp"

namespace yolov7::versions {

struct CheckoutOptions {
  std::filesystem::path out;  ///< new or empty
  std::string format;  ///< a name of the table of formats; "": label files and data.yaml, images at
                       ///< the paths of the version, from which the same id comes again
  bool copy = false;   ///< no hard links, which are read-only
  bool read_only = false;  ///< labels, too: for a checkout that is to stay as it is
  int threads = 0;         ///< 0 = usable cores
  std::stop_token stop = {};
};

struct CheckedOut {
  std::size_t images = 0, labels = 0;
  std::array<std::size_t, 4> by_transfer{};    ///< by Transfer
  std::size_t odd_rows = 0;                    ///< rows that are no labels: written as they are
  bool val_is_train = false;                   ///< there is no val split, and data.yaml needs one
  std::optional<dataset::Conversion> account;  ///< of another format
};

/// All or nothing. Errors: an object that is damaged or gone (it is named), `out` holds something,
/// a full disk, stopped_error().
CheckedOut checkout(Store& store, const Digest& id, const CheckoutOptions& options);

}  // namespace yolov7::versions
