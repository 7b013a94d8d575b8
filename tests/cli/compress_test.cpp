// yolov7 compress as a user calls it, with the delivered network on a few drawn images.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "tests/cli/program.hpp"

namespace yolov7::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class Compress : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    scratch = new ScratchFolder;
    const Outcome drawn =
        run({"dataset", "synth", "--out", (*scratch / "data").string(), "--level", "formula",
             "--train", "12", "--val", "6", "--test", "4", "--img-size", "160", "--seed", "3"});
    ASSERT_EQ(drawn.code, 0) << drawn.err;
  }
  static void TearDownTestSuite() { delete scratch; }
  static std::string out(const std::string& name) { return (*scratch / name).string(); }
  static std::string data() { return (*scratch / "data/data.yaml").string(); }
  static std::string weights() {
    return (fs::path(YOLOV7_SOURCE_DIR) / "weights/yolov7-tiny-synth.pt").string();
  }
  static std::vector<std::string> call(const std::string& name,
                                       const std::vector<std::string>& more = {}) {
    std::vector<std::string> all{"compress", "--weights", weights(),    "--data", data(),
                                 "--out",    out(name),   "--img-size", "160",    "--seconds",
                                 "0.2",      "--draws",   "100"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  /// The journal's stages so far; the file is replaced atomically.
  static std::set<std::string> stages(const std::string& name) {
    std::set<std::string> names;
    const fs::path file = out(name) + "/state.json";
    if (!fs::exists(file)) return names;
    const json all = json::parse(read_text(file), nullptr, false);
    for (const auto& [stage, found] : all["stages"].items()) names.insert(stage);
    return names;
  }
  template <class Condition>
  static bool wait_for(Condition condition) {
    for (int i = 0; i < 6000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }
  void expect_refused(const std::vector<std::string>& more, const std::string& why, int code) {
    const Outcome outcome = run(call("refused", more));
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_TRUE(has(outcome.err, why)) << outcome.err;
    EXPECT_EQ(line_count(outcome.err.substr(outcome.err.find("error: "))), 1U) << outcome.err;
    EXPECT_FALSE(fs::exists(out("refused")));
  }
  static inline ScratchFolder* scratch = nullptr;
};

const json& candidate(const json& report, const std::string& network, const std::string& numbers) {
  for (const json& one : report["candidates"])
    if (one["network"] == network && one["numbers"] == numbers) return one;
  static const json none;
  return none;
}

}  // namespace

// Killed after the pruning, told to stop in the training, and finished by a third call.
TEST_F(Compress, KilledStoppedAndFinished) {
  const std::vector<std::string> more{"--ratio",
                                      "0.5",
                                      "--round",
                                      "8",
                                      "--epochs",
                                      "5",
                                      "--epochs-share",
                                      "0.4",
                                      "--batch-size",
                                      "4",
                                      "--hyp",
                                      "hyp.scratch.tiny.yaml",
                                      "--accuracy-budget",
                                      "0.2",
                                      "--checkpoint-seconds",
                                      "0.001"};
  Process first(call("whole", more), scratch->path());
  ASSERT_TRUE(wait_for([] { return stages("whole").contains("prune ratio-0.5"); }));
  first.send(SIGKILL);
  EXPECT_EQ(first.wait().code, 128 + SIGKILL);

  Process second(call("whole", more), scratch->path());
  ASSERT_TRUE(
      wait_for([] { return fs::exists(out("whole") + "/ratio-0.5/train/weights/last.pt"); }));
  second.send(SIGINT);
  const Outcome stopped = second.wait();
  EXPECT_EQ(stopped.code, 130) << stopped.err;
  EXPECT_FALSE(fs::exists(out("whole") + "/chosen"));
  EXPECT_FALSE(fs::exists(out("whole") + "/report.json"));

  std::vector<std::string> last = call("whole", more);
  last.emplace_back("--json");
  const Outcome third = run(last);
  ASSERT_EQ(third.code, 0) << third.err;
  EXPECT_TRUE(has(third.err, "going on in")) << third.err;
  const json report = json::parse(third.out);
  EXPECT_EQ(report, json::parse(read_text(out("whole") + "/report.json")));
  EXPECT_EQ(report["kept"], true);
  ASSERT_EQ(report["candidates"].size(), 6U) << "two networks, three kinds of numbers";
  const json &parent = candidate(report, "parent", "float32"),
             &integers = candidate(report, "parent", "int8"),
             &pruned = candidate(report, "ratio-0.5", "float32");
  EXPECT_EQ(parent["map_change"]["value"], 0.0);
  EXPECT_EQ(parent["map_change"]["low"], 0.0);
  EXPECT_EQ(parent["classes"].size(), 64U);
  EXPECT_GT(parent["map"]["value"], 0.1);
  EXPECT_LE(parent["map"]["low"], parent["map"]["value"]);
  // Beside the weights of the convolutions whose results are decoded, which stay in float32: 3 · (5
  // + 64) channels from 128, 256 and 512. The others are half of the parent's float16; scales,
  // biases and the graph's text take the rest.
  constexpr double decoded = 3.0 * (5 + 64) * (128 + 256 + 512);
  EXPECT_LT(integers["bytes"].get<double>() - 4 * decoded,
            0.6 * (parent["bytes"].get<double>() - 2 * decoded))
      << "bytes next to float16";
  EXPECT_GT(integers["latency_ms"]["least"], 0);
  EXPECT_GT(integers["images_per_second"], 0);
  EXPECT_LT(pruned["parameters"].get<double>(), 0.6 * parent["parameters"].get<double>());
  // The mAP of val itself, on squares as here.
  const Outcome val = run({"val", "--weights", integers["file"], "--data", data(), "--img-size",
                           "160", "--project", out("val"), "--json"});
  ASSERT_EQ(val.code, 0) << val.err;
  EXPECT_NEAR(json::parse(val.out)["coco"]["map"].get<double>(),
              integers["map"]["value"].get<double>(), 1e-6);
  // The commands are those that ran; the teacher is the parent.
  std::string commands;
  for (const json& one : report["stages"]) commands += one["command"].get<std::string>() + "\n";
  EXPECT_TRUE(has(commands, "yolov7 prune --weights " + weights())) << commands;
  EXPECT_TRUE(has(commands, "--ratio 0.5 --round 8")) << commands;
  EXPECT_TRUE(has(commands, "yolov7 train --resume")) << commands;
  const std::string recipe = read_text(out("whole") + "/ratio-0.5/train/opt.yaml");
  EXPECT_TRUE(has(recipe, "teacher: " + weights())) << recipe;
  EXPECT_TRUE(has(recipe, "epochs: 2")) << recipe;  // .4 of 5

  // The split that took no part, by val. It gives a checkpoint rectangles, and the squares of here
  // to a file of one size. Such a file is the same detector, but decodes by other operations: where
  // bfloat16 rounds at other places, single detections of the four images are won or lost.
  const json &chosen = report["chosen"], &held_out = report["held_out"];
  EXPECT_EQ(held_out["images"], 4);
  const std::string file = chosen["file"], numbers = chosen["numbers"];
  std::string of_one_size = file;
  if (numbers != "int8") {
    const Outcome exported =
        run({"export", "--weights", file, "--include", "openvino", "--img-size", "160",
             "--no-verify", "--out", out("square"), "--json"});
    ASSERT_EQ(exported.code, 0) << exported.err;
    of_one_size = json::parse(exported.out).at("files").at(0).at("path").get<std::string>();
  }
  const Outcome test = run({"val", "--weights", of_one_size, "--data", data(), "--task", "test",
                            "--precision", numbers == "int8" ? std::string("float32") : numbers,
                            "--img-size", "160", "--project", out("val"), "--json"});
  ASSERT_EQ(test.code, 0) << test.err;
  EXPECT_NEAR(json::parse(test.out)["coco"]["map"].get<double>(), held_out["map"].get<double>(),
              numbers == "int8" ? 1e-6 : 0.05);
  // The parent on the same squares, by compare: the file of one size makes both take them.
  const Outcome compared = run({"compare", weights(), integers["file"], "--data", data(), "--split",
                                "test", "--img-size", "160", "--bootstrap", "10", "--json"});
  ASSERT_EQ(compared.code, 0) << compared.err;
  EXPECT_NEAR(json::parse(compared.out)["a"]["map"]["value"].get<double>(),
              held_out["parent_map"].get<double>(), 1e-6);
  EXPECT_TRUE(fs::exists(file));
  EXPECT_EQ(candidate(report, chosen["network"], chosen["numbers"])["chosen"], true);
  EXPECT_TRUE(has(read_text(out("whole") + "/report.html"), "8-bit integers next to bfloat16"));
  if (numbers == "int8") {
    const Outcome verified = run({"verify", file});
    EXPECT_EQ(verified.code, 0) << verified.out << verified.err;
  }

  // Once more: everything is known.
  const Outcome again = run(last);
  ASSERT_EQ(again.code, 0) << again.err;
  json same = json::parse(again.out);
  EXPECT_EQ(same["candidates"], report["candidates"]);
  // Other settings or other labels are another run.
  std::vector<std::string> other = call("whole", more);
  *std::next(std::find(other.begin(), other.end(), "--accuracy-budget")) = "0.1";
  const Outcome changed = run(other);
  EXPECT_EQ(changed.code, 1);
  EXPECT_TRUE(has(changed.err, "this run began with --accuracy-budget '0.2', found '0.1'"))
      << changed.err;
  EXPECT_TRUE(fs::exists(file));

  // A no: by times as a machine would have them on which nothing is faster.
  const std::string state = out("whole") + "/state.json";
  json journal = json::parse(read_text(state));
  for (auto& [name, times] : journal["stages"]["times"]["found"].items())
    times[0] = name == "parent in float32" ? 1.0 : 2.0;
  write_text(state, journal.dump());
  const Outcome no = run(last);
  EXPECT_EQ(no.code, 1) << no.err;
  const json answer = json::parse(no.out);
  EXPECT_EQ(answer["kept"], false);
  EXPECT_TRUE(answer["chosen"].is_null());
  EXPECT_TRUE(has(answer["reason"], "nothing that was tried is faster")) << answer["reason"];
  EXPECT_FALSE(fs::exists(out("whole") + "/chosen"));
  EXPECT_TRUE(has(read_text(out("whole") + "/report.html"), "None: nothing that was tried"));
}

// The parent has the name of what pruning once wrote beside it, and --patience ends the training. A
// journal without the training's line is what is left where the process is killed before that line.
TEST_F(Compress, GoesOnBehindATrainingThatEndedEarly) {
  const std::string parent = out("pruned.pt"), state = out("early") + "/state.json";
  fs::copy_file(weights(), parent);
  std::vector<std::string> all =
      call("early", {"--stages", "prune", "--target-time", "-10%", "--round", "8", "--epochs", "30",
                     "--epochs-share", "1", "--patience", "1", "--batch-size", "4", "--hyp",
                     "hyp.scratch.tiny.yaml", "--accuracy-budget", "0.2", "--json"});
  all.at(2) = parent;
  const auto report_of = [&] {
    const Outcome outcome = run(all);
    EXPECT_TRUE(outcome.code == 0 || outcome.code == 1) << outcome.code;  // 1: nothing was chosen
    json report = json::parse(outcome.out, nullptr, false);
    EXPECT_TRUE(report.is_object()) << outcome.err;
    return report;
  };
  const json first = report_of();
  ASSERT_TRUE(first.is_object());
  const std::string results = read_text(out("early") + "/time-10/train/results.csv");
  ASSERT_GT(line_count(results), 1U) << "a head, and a line for each epoch";
  ASSERT_LT(line_count(results), 31U) << "--patience was to end it before";
  const json again = report_of();
  ASSERT_TRUE(again.is_object());
  EXPECT_EQ(again["candidates"], first["candidates"]);
  const auto change_journal = [&](auto change) {
    json journal = json::parse(read_text(state));
    change(journal["stages"]);
    write_text(state, journal.dump());
  };
  ASSERT_TRUE(stages("early").contains("train time-10"));
  change_journal([](json& done) { done.erase("train time-10"); });
  const json third = report_of();
  ASSERT_TRUE(third.is_object());
  EXPECT_EQ(third["candidates"], first["candidates"]);
  EXPECT_TRUE(stages("early").contains("train time-10"));

  // A parent that nothing can be compared with is told before the training.
  const std::string why = "NaN or infinity in the predictions of 1 of 6 images";
  change_journal([&](json& done) {
    done.erase("train time-10");
    done["measure parent in float32"]["found"]["missing"] = why;
  });
  const Outcome useless = run(all);
  EXPECT_EQ(useless.code, 1);
  EXPECT_TRUE(has(useless.err,
                  "pruned.pt: expected a network that others can be compared with, found " + why))
      << useless.err;
  EXPECT_FALSE(stages("early").contains("train time-10"));
}

TEST_F(Compress, InputsThatChangedAreNamed) {
  fs::copy(*scratch / "data/images/val", out("unlabelled"), fs::copy_options::recursive);
  const std::vector<std::string> more{
      "--stages", "prune",        "--ratio",        "0.5", "--epochs", "5", "--accuracy-budget",
      "0.2",      "--unlabelled", out("unlabelled")};
  Process begun(call("changed", more), scratch->path());
  ASSERT_TRUE(wait_for([] { return fs::exists(out("changed") + "/state.json"); }));
  begun.send(SIGKILL);
  EXPECT_EQ(begun.wait().code, 128 + SIGKILL);
  const auto expect_named = [&](const std::string& what) {
    const Outcome outcome = run(call("changed", more));
    EXPECT_EQ(outcome.code, 1) << outcome.err;
    EXPECT_TRUE(has(outcome.err, "this run began with " + what + " '")) << outcome.err;
  };
  const auto one_of = [](const fs::path& folder, const std::string& kind) {
    fs::path found;
    for (const auto& entry : fs::directory_iterator(folder))
      if (entry.path().extension() == kind) found = entry.path();
    return found;
  };
  const fs::path image = one_of(out("unlabelled"), ".jpg"),
                 labels = one_of(*scratch / "data/labels/test", ".txt");
  ASSERT_FALSE(image.empty() || labels.empty());
  fs::remove(image);
  expect_named("images of --unlabelled of hash");
  const std::string before = read_text(labels);
  write_text(labels, before + "0 0.5 0.5 0.25 0.25\n");
  expect_named("images and labels of the test split of hash");
  write_text(labels, before);
}

TEST_F(Compress, WhatIsRefusedBeforeAnythingIsWritten) {
  const std::vector<std::string> integers{"--stages", "quantize"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), integers.begin(), integers.end());
    return more;
  };
  expect_refused(with({"--accuracy-budget", "-0.1"}), "accuracy-budget", 2);
  expect_refused(with({"--accuracy-budget", "0.00001"}),
                 "--accuracy-budget 1e-05: expected at least", 1);
  expect_refused({"--stages", "distil"}, "expected prune or quantize among them", 2);
  expect_refused({"--stages", "distil,quantize"}, "expected prune with it", 2);
  expect_refused({"--stages", "prun"}, "did you mean 'prune'", 2);
  expect_refused(with({"--ratio", "0.5"}), "--ratio: expected the stage prune with it", 2);
  expect_refused(with({"--include", "onnx"}), "expected openvino among the formats", 2);
  expect_refused(with({"--include", "openvino", "ncnn"}), "formats with 8-bit integers", 2);
  expect_refused(with({"--include", "openvino,onnx", "--accuracy-budget", "0.00001"}),
                 "--accuracy-budget 1e-05: expected at least", 1);  // not for the formats
  expect_refused({}, "expected --epochs, the epochs of the parent's training", 2);
  expect_refused({"--epochs", "5", "--ratio", "0.5", "0.5"}, "each cut once, found it twice", 2);
  expect_refused({"--epochs", "5", "--target-time", "35"}, "expected -1% to -90%", 2);
  expect_refused({"--epochs", "5", "--teacher", out("nowhere.pt")}, "nowhere.pt: no such file", 1);
  expect_refused({"--epochs", "5", "--hyp", out("nowhere.yaml")}, "nowhere.yaml", 1);
  expect_refused({"--epochs", "5", "--accuracy-budget", "0.2", "--unlabelled", out("nowhere")},
                 "nowhere", 1);
}

// Neither in vain nor after hours.
TEST_F(Compress, OptionsOfStagesThatAreLeftOutAreRefused) {
  const auto expect_named = [&](const std::string& some, const std::vector<std::string>& option,
                                const std::string& missing) {
    std::vector<std::string> more{"--stages", some};
    more.insert(more.end(), option.begin(), option.end());
    expect_refused(more,
                   "compress: " + option.front() + ": expected the stage " + missing +
                       " with it, found --stages " + some,
                   2);
  };
  expect_named("quantize", {"--target-time", "-35%"}, "prune");
  expect_named("quantize", {"--importance", "scale"}, "prune");
  expect_named("quantize", {"--epochs", "50"}, "prune");
  expect_named("quantize", {"--hyp", "nowhere.yaml"}, "prune");
  expect_named("quantize", {"--teacher", weights()}, "distil");
  expect_named("prune,quantize", {"--distill", "output"}, "distil");
  expect_named("prune", {"--effort", "high"}, "quantize");
  expect_named("prune,distil", {"--include", "openvino"}, "quantize");
  expect_refused({"--epochs", "5", "--teacher=", "--distill", "output"},
                 "compress: --distill: expected --teacher as well, found none", 2);
  expect_refused({"--epochs", "5", "--burn-in", "1"},
                 "compress: --burn-in: expected --unlabelled as well, found none", 2);
  expect_refused({"--epochs", "5", "--adam", "--optimizer", "sgd"},
                 "compress: --adam is the same as --optimizer adam", 2);
}

TEST_F(Compress, OtherInputsAreRefused) {
  const auto refused = [&](const std::string& weights, const std::string& data,
                           const std::string& folder, const std::string& why) {
    const Outcome outcome = run({"compress", "--weights", weights, "--data", data, "--out", folder,
                                 "--stages", "quantize", "--img-size", "160"});
    EXPECT_EQ(outcome.code, 1) << outcome.err;
    EXPECT_TRUE(has(outcome.err, why)) << outcome.err;
    EXPECT_FALSE(fs::exists(folder + "/state.json"));
  };
  refused(out("nowhere.pt"), data(), out("refused"), "nowhere.pt: no such file");
  refused(weights(), out("nowhere.yaml"), out("refused"), "nowhere.yaml");
  refused(data(), data(), out("refused"), "data.yaml");
  // A folder of somebody else stays as it is.
  refused(weights(), data(), out("data"), "expected a new or empty folder, or one of compress");
  scratch->write("theirs/.lock", "");
  scratch->write("theirs/notes.txt", "mine");
  refused(weights(), data(), out("theirs"), "found notes.txt in it");
  EXPECT_EQ(read_text(out("theirs") + "/notes.txt"), "mine");
  // Other classes, and no labels.
  const std::string text = read_text(data());
  const std::string other =
      scratch
          ->write("data/other.yaml",
                  [&] {
                    std::string changed = text;
                    const auto at = changed.find("circle");
                    return at == std::string::npos ? changed : changed.replace(at, 6, "wheels");
                  }())
          .string();
  refused(weights(), other, out("refused"), "the classes of model and data differ");
  EXPECT_FALSE(fs::exists(out("refused")));
}

}  // namespace yolov7::test
