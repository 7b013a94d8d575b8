#pragma once
// Trainings of a narrow network on a few drawn pictures, and what their checkpoints hold.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "network/checkpoint/checkpoint_file.hpp"
#include "tests/cli/program.hpp"

namespace yolov7::test {

namespace fs = std::filesystem;

class NarrowRuns : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch = new test::ScratchFolder;
    const Outcome drawn =
        run({"dataset", "synth", "--out", data().string(), "--level", "easy", "--train", "24",
             "--val", "4", "--test", "0", "--img-size", "96", "--seed", "5"});
    ASSERT_EQ(drawn.code, 0) << drawn.err;
  }
  static void TearDownTestSuite() { delete scratch; }
  static fs::path data() { return *scratch / "data"; }
  static fs::path folder(const std::string& name) { return *scratch / "runs" / name; }
  /// A narrow tiny network, so that a step takes milliseconds. float32: the same on every
  /// processor. One thread, unless `more` says otherwise: the same however busy the machine is.
  static std::vector<std::string> arguments(const std::string& name, int epochs,
                                            const std::vector<std::string>& more = {}) {
    const fs::path cfg = *scratch / "narrow.yaml";
    if (!fs::exists(cfg)) {
      std::string text =
          read_text(fs::path(YOLOV7_SOURCE_DIR) / "configs/training/yolov7-tiny.yaml");
      const auto at = text.find("width_multiple:");
      text.replace(at, text.find('\n', at) - at, "width_multiple: 0.125");
      write_text(cfg, text);
    }
    std::vector<std::string> all{"train",
                                 "--cfg",
                                 cfg.string(),
                                 "--weights",
                                 "",
                                 "--data",
                                 (data() / "data.yaml").string(),
                                 "--hyp",
                                 "hyp.scratch.tiny.yaml",
                                 "--img",
                                 "96",
                                 "--batch",
                                 "4",
                                 "--epochs",
                                 std::to_string(epochs),
                                 "--precision",
                                 "float32",
                                 "--project",
                                 (*scratch / "runs").string(),
                                 "--name",
                                 name};
    if (std::find(more.begin(), more.end(), "--threads") == more.end())
      all.insert(all.end(), {"--threads", "1"});
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  /// Every tensor of last.pt: weights, averages, momentum.
  static network::Checkpoint last(const std::string& name) {
    return network::read_checkpoint(folder(name) / "weights/last.pt");
  }
  static void expect_same_tensors(const std::string& a, const std::string& b) {
    const network::Checkpoint one = last(a), other = last(b);
    const auto same = [](const network::Weights& x, const network::Weights& y, const char* what) {
      ASSERT_EQ(x.size(), y.size()) << what;
      for (const auto& [name, tensor] : x.entries()) {
        ASSERT_NE(y.find(name), nullptr) << name;
        ASSERT_TRUE(tensor.bytes == y.find(name)->bytes) << what << ' ' << name;
      }
    };
    same(one.model, other.model, "model");
    same(one.ema, other.ema, "ema");
    same(one.optimizer, other.optimizer, "optimizer");
  }
  static inline test::ScratchFolder* scratch = nullptr;
};

}  // namespace yolov7::test
