#pragma once
// A small data set in a folder of its own, and a store beside it.
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/kept_messages.hpp"
#include "tests/scratch_folder.hpp"
#include "versions/create.hpp"

namespace yolov7::versions {

namespace fs = std::filesystem;

/// A BMP of 16 × 16 pixels of one gray level.
inline std::string bitmap(int shade) {
  std::string bytes("BM\x36\x03\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x10\0\0\0\x10\0\0\0\1\0\x18\0", 30);
  return bytes + std::string(24, '\0') + std::string(16 * 16 * 3, static_cast<char>(shade));
}

class VersionFixture : public testing::Test {
 protected:
  /// images/train/0.bmp … and images/val/…, one row for each image: class 0, or 1 where odd.
  void write_set(int train = 6, int val = 2, const fs::path& folder = "data") {
    for (int i = 0; i < train + val; ++i) {
      const std::string place = (i < train ? "train/" : "val/") + std::to_string(i);
      scratch.write(folder / ("images/" + place + ".bmp"), bitmap(i));
      scratch.write(folder / ("labels/" + place + ".txt"), row(i % 2, 0.5));
    }
    write_description("cat, dog", folder);
    make_old(folder);
  }
  void write_description(const std::string& names, const fs::path& folder = "data") {
    scratch.write(folder / "data.yaml",
                  "train: images/train\nval: images/val\nnames: [" + names + "]\n");
  }
  static std::string row(int class_index, double centre) {
    return std::to_string(class_index) + " " + std::to_string(centre) + " 0.5 0.25 0.25\n";
  }
  /// So that the cache of files takes them: it leaves out what changed a moment ago.
  void make_old(const fs::path& folder = "data") {
    const auto before = fs::file_time_type::clock::now() - std::chrono::hours(1);
    for (const auto& entry : fs::recursive_directory_iterator(scratch / folder))
      if (entry.is_regular_file()) fs::last_write_time(entry.path(), before);
  }
  CreateOptions options(const fs::path& folder = "data") const {
    CreateOptions o;
    o.store = scratch / "store";
    o.source = scratch / folder / "data.yaml";
    o.name = "pets";
    o.author = "somebody";
    o.threads = 2;
    return o;
  }
  Created commit(const fs::path& folder = "data") { return create(options(folder)); }
  Store store() { return Store::open(scratch / "store"); }

  test::ScratchFolder scratch;
};

}  // namespace yolov7::versions
