#include "tests/dataset/data_fixture.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <opencv2/core/mat.hpp>

#include "image/codec/codec.hpp"

namespace yolov7::test {
namespace fs = std::filesystem;

TemporaryFolder::TemporaryFolder() {
  ::setenv("XDG_CACHE_HOME", (path() / "user cache").c_str(), 1);
}

void write_gray(const fs::path& path, int width, int height, int shade) {
  fs::create_directories(path.parent_path());
  write_picture(path, cv::Mat(height, width, CV_8UC3, cv::Scalar::all(shade)));
}

void age(const fs::path& folder) {
  const auto past = fs::file_time_type::clock::now() - std::chrono::hours(1);
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file()) fs::last_write_time(entry.path(), past);
}

fs::path write_small_set(const fs::path& root, int count) {
  for (int i = 0; i < count; ++i) {
    write_gray(root / "images/train" / fmt::format("{}.png", i), 64, 48, i);
    write_text(root / "labels/train" / fmt::format("{}.txt", i),
               fmt::format("{} 0.5 0.5 0.25 0.5\n", i % 2));
  }
  write_text(root / "data.yaml", "train: images/train\nval: images/train\nnc: 2\nnames: [a, b]\n");
  age(root);
  return root / "data.yaml";
}

fs::path shared_folder() {
  const char* given = std::getenv("YOLOV7_SHARED_DIR");
  return given != nullptr ? fs::path(given) : fs::path(YOLOV7_SOURCE_DIR) / ".." / "shared";
}

}  // namespace yolov7::test
