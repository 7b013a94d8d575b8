// Trainings for 8-bit integers as a user calls them: killed, exported, refused.
#include <csignal>
#include <nlohmann/json.hpp>

#include "tests/cli/narrow_runs.hpp"

namespace yolov7::test {
namespace {

using nlohmann::json;

class QatRuns : public NarrowRuns {
 protected:
  /// A network of two epochs, trained once.
  static std::string parent() {
    const fs::path best = folder("parent") / "weights/best.pt";
    if (!fs::exists(best)) {
      const Outcome outcome = run(arguments("parent", 2, {"--nbs", "8"}));
      EXPECT_EQ(outcome.code, 0) << outcome.err;
    }
    return best.string();
  }
  static std::vector<std::string> qat(const std::string& name, int epochs,
                                      const std::vector<std::string>& more = {},
                                      const std::string& weights = parent()) {
    std::vector<std::string> all{"train",
                                 "--qat",
                                 "--weights",
                                 weights,
                                 "--data",
                                 (data() / "data.yaml").string(),
                                 "--hyp",
                                 "hyp.scratch.tiny.yaml",
                                 "--img",
                                 "96",
                                 "--batch",
                                 "4",
                                 "--nbs",
                                 "8",
                                 "--epochs",
                                 std::to_string(epochs),
                                 "--threads",
                                 "1",
                                 "--notest",
                                 "--checkpoint-seconds",
                                 "0.001",
                                 "--project",
                                 (*scratch / "runs").string(),
                                 "--name",
                                 name};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  static network::Checkpoint kept(const std::string& name, const std::string& file) {
    return network::read_checkpoint(folder(name) / "weights" / file);
  }
};

// Ranges are learned in three of four epochs, so the run is cut while they are.
TEST_F(QatRuns, AKilledRunGoesOnToTheBit) {
  const Outcome whole = run(qat("whole", 4));
  ASSERT_EQ(whole.code, 0) << whole.err;
  EXPECT_TRUE(has(whole.err, "learned in 3 of 4 epochs")) << whole.err;
  EXPECT_TRUE(has(whole.err, "epoch 3: ranges stay as they are from here on")) << whole.err;
  EXPECT_TRUE(has(whole.err, "distillation: channel of ")) << "its own parent teaches";
  Process cut(qat("cut", 4), scratch->path());
  for (int i = 0; i < 4000 && !fs::exists(folder("cut") / "weights/last.previous.pt"); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  cut.send(SIGKILL);
  cut.wait();
  const Outcome end = run({"train", "--resume", folder("cut").string()});
  ASSERT_TRUE(end.code == 0 || has(end.err, "nothing to resume")) << end.err;
  expect_same_tensors("whole", "cut");
  EXPECT_EQ(last("whole").quantization, last("cut").quantization);

  const network::Checkpoint after = last("whole");
  EXPECT_NE(after.model.find("model.0.conv.bias"), nullptr) << "folded";
  EXPECT_EQ(after.model.find("model.0.bn.weight"), nullptr) << "folded";
  std::size_t ranges = 0, momenta = 0;
  for (const auto& [name, tensor] : after.model.entries())
    ranges += name.rfind("quantizer.", 0) == 0 ? 1 : 0;
  for (const auto& [name, tensor] : after.optimizer.entries())
    momenta += name.rfind("quantizer.", 0) == 0 && name.ends_with(".m") ? 1 : 0;
  EXPECT_GT(ranges, 20U);
  EXPECT_EQ(momenta, ranges) << "AdamW";
  // Learned in the first three epochs, as they are in the last.
  EXPECT_NE(kept("whole", "init.pt").quantization, kept("whole", "epoch_000.pt").quantization);
  EXPECT_NE(kept("whole", "epoch_001.pt").quantization, kept("whole", "epoch_002.pt").quantization);
  EXPECT_EQ(kept("whole", "epoch_002.pt").quantization, after.quantization);
  const json start = json::parse(read_text(folder("whole") / "qat.json"));
  EXPECT_GE(start.at("float32").at("map"), 0);
  EXPECT_GE(start.at("calibrated").at("map"), 0);
  EXPECT_EQ(start.at("activation_bits"), 8);
}

// One calibration less: the files get the ranges of the training, and say so.
TEST_F(QatRuns, FilesGetItsOwnRanges) {
  ASSERT_EQ(run(qat("exported", 1)).code, 0);
  const std::string best = (folder("exported") / "weights/best.pt").string(),
                    out = (*scratch / "int8").string();
  const std::vector<std::string> arguments{"quantize",
                                           "--weights",
                                           best,
                                           "--data",
                                           (data() / "data.yaml").string(),
                                           "--img",
                                           "96",
                                           "--grid",
                                           "--include",
                                           "openvino",
                                           "tflite",
                                           "--accuracy-budget",
                                           "1",
                                           "--out",
                                           out,
                                           "--json"};
  const Outcome outcome = run(arguments);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "those that the weights were trained with; there is no calibration"))
      << outcome.err;
  const json said = json::parse(outcome.out);
  ASSERT_EQ(said.at("files").size(), 2U);
  for (const json& file : said.at("files")) {
    const json& c = file.at("certificate");
    EXPECT_EQ(c.at("precision"), "int8");
    EXPECT_EQ(c.at("quantization").at("calibration"), "none: ranges of the training");
    EXPECT_EQ(c.at("quantization").at("method"), "trained");
  }
  // Other programs and verbs compute in float32, and are told.
  const Outcome info = run({"info", "--weights", best, "--json"});
  ASSERT_EQ(info.code, 0) << info.err;
  EXPECT_TRUE(has(info.out, "it was trained for integers")) << info.out;
  const Outcome folded =
      run({"reparam", "--weights", best, "--out", (*scratch / "folded.pt").string()});
  EXPECT_EQ(folded.code, 1) << folded.err;
  EXPECT_TRUE(has(folded.err, "it is folded already")) << folded.err;
  EXPECT_FALSE(fs::exists(*scratch / "folded.pt"));
  // Ranges for one scale an output channel are not those of one a tensor.
  std::vector<std::string> other = arguments;
  other.push_back("--per-tensor");
  const Outcome refused = run(other);
  EXPECT_EQ(refused.code, 2) << refused.err;
  EXPECT_TRUE(has(refused.err, "--per-tensor: ")) << refused.err;
  other.back() = "--effort", other.push_back("high");
  const Outcome fitted = run(other);
  EXPECT_EQ(fitted.code, 2) << fitted.err;
  EXPECT_TRUE(has(fitted.err, "--effort high: expected weights that were trained in float32"))
      << fitted.err;
}

TEST_F(QatRuns, FewerBitsAreAnExperiment) {
  const Outcome outcome =
      run(qat("hard", 1,
              {"--qat-weights", "per-tensor", "--qat-activation-bits", "6", "--qat-freeze", "0"}));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "one scale a tensor")) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "6 bits, learned in 1 of 1 epochs")) << outcome.err;
  const json ranges = json::parse(last("hard").quantization);
  EXPECT_EQ(ranges.at("activation_bits"), 6);
  EXPECT_EQ(ranges.at("per_tensor"), true);
  const std::string out = (*scratch / "hard int8").string();
  const Outcome refused =
      run({"quantize", "--weights", (folder("hard") / "weights/last.pt").string(), "--data",
           (data() / "data.yaml").string(), "--img", "96", "--out", out});
  EXPECT_EQ(refused.code, 1) << refused.err;
  EXPECT_TRUE(has(refused.err, "it was trained for activations of 6 bits")) << refused.err;
  EXPECT_FALSE(fs::exists(out));
}

TEST_F(QatRuns, BadInputIsSaidBeforeTheTraining) {
  const auto refused = [&](const std::vector<std::string>& call, int code,
                           const std::string& part) {
    const Outcome outcome = run(call);
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_TRUE(has(outcome.err, part)) << part << "\n" << outcome.err;
    EXPECT_FALSE(fs::exists(folder("refused") / "weights/last.pt"));
  };
  refused(qat("refused", 1, {}, ""), 2,
          "train: --qat: expected --weights FILE, a trained float32 network, found none");
  refused(qat("refused", 1, {}, "nowhere.pt"), 1, "nowhere.pt");
  refused(qat("refused", 1, {"--cfg", "yolov7-tiny.yaml"}), 2, "expected no --cfg");
  refused(qat("refused", 1, {"--precision", "bfloat16"}), 2, "expected --precision float32");
  refused(qat("refused", 1, {"--qat-activation-bits", "9"}), 2, "4");
  refused(arguments("refused", 1, {"--qat-freeze", "1"}), 2,
          "--qat-freeze: expected --qat as well, found none");
  const fs::path others = *scratch / "others.yaml";
  write_text(others, "path: " + data().string() +
                         "\ntrain: images/train\nval: images/val\nnames: [a, b, c, d, e, f, g, h, "
                         "i, j, k, l, m, n, o, p, q, r, s, t]\n");
  std::vector<std::string> foreign = qat("refused", 1);
  for (std::string& argument : foreign)
    if (argument == (data() / "data.yaml").string()) argument = others.string();
  refused(foreign, 1,
          "expected the 3 classes that the network was trained for, found 20 in the data");
  ASSERT_EQ(run(qat("twice", 1)).code, 0);
  refused(qat("refused", 1, {}, (folder("twice") / "weights/best.pt").string()), 1,
          "it was trained for integers already");
}

}  // namespace
}  // namespace yolov7::test
