#pragma once
// A labelled set of images of 16 × 16 pixels in a store, a pool, and predictions on it.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "active/coco_predictions.hpp"
#include "loop/state.hpp"
#include "loop/tasks.hpp"
#include "tests/versions/version_fixture.hpp"

namespace yolov7::loop {

namespace fs = std::filesystem;
using versions::bitmap;

class LoopFixture : public versions::VersionFixture {
 protected:
  void SetUp() override {
    write_set(2, 1);  // cat and dog; images of the shades 0, 1 and 2
    start = versions::full_name(commit().entry);
  }
  /// Images of the pool, of these shades, with a cat (score .9) in the middle and a dog (.4) at the
  /// upper left: pixels 4 … 12 and 0 … 4.
  fs::path predict(const std::vector<int>& shades, const fs::path& folder = "chosen") {
    std::vector<active::PredictedImage> images;
    for (const int shade : shades) {
      const std::string name = "img" + std::to_string(shade) + ".bmp";
      scratch.write("pool/" + name, bitmap(shade));
      images.push_back({(scratch / "pool" / name).string(),
                        16,
                        16,
                        {{{4, 4, 12, 12}, 0.9F, 0}, {{0, 0, 4, 4}, 0.4F, 1}}});
    }
    return scratch.write(folder / "predictions.json",
                         active::coco_predictions(images, {"cat", "dog"}).dump());
  }
  State begin() {
    return State::begin(scratch / "loop", {"pets", fs::weakly_canonical(scratch / "store"), start});
  }
  static std::string key(int shade) { return file::content_hash(bitmap(shade)); }

  std::string start;
};

}  // namespace yolov7::loop
