// yolov7 prune as a user calls it, and a pruned network through everything that takes a network.
#include "network/transform/prune.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tests/cli/narrow_runs.hpp"
#include "tests/network/pruning_fixture.hpp"

namespace yolov7::test {
namespace {

using nlohmann::json;

class Pruned : public NarrowRuns {
 protected:
  static std::string start() {
    return (fs::path(YOLOV7_SOURCE_DIR) / "weights/yolov7-tiny-synth.pt").string();
  }
  static std::string out(const std::string& name) { return (*scratch / name).string(); }
  static Outcome prune(const std::string& name, const std::vector<std::string>& more,
                       const std::string& weights = start()) {
    std::vector<std::string> all{"prune",      "--weights", weights,     "--out", out(name),
                                 "--img-size", "64",        "--seconds", "0.3",   "--json"};
    all.insert(all.end(), more.begin(), more.end());
    return run(all);
  }
  static json done(const std::vector<std::string>& arguments) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return json::parse(outcome.out, nullptr, false);
  }
};

// Trained, stopped and resumed with its parent as teacher, measured, folded, exported, pruned
// again.
TEST_F(Pruned, NetworkGoesThroughTheLifeCycle) {
  const Outcome first = prune("half.pt", {"--ratio", "0.5", "--round", "8"});
  ASSERT_EQ(first.code, 0) << first.err;
  const json report = json::parse(first.out);
  EXPECT_LT(report["parameters"]["after"].get<int>(),
            0.6 * report["parameters"]["before"].get<int>());
  EXPECT_LT(report["seconds"]["after"], report["seconds"]["before"]);
  EXPECT_FALSE(report["groups"].empty());
  EXPECT_EQ(done({"info", "--weights", out("half.pt"), "--json"})["parameters"],
            report["parameters"]["after"]);

  std::vector<std::string> train = arguments(
      "pruned", 2, {"--teacher", start(), "--distill-off", "0", "--stop-after", "1", "--notest"});
  train.erase(train.begin() + 1, train.begin() + 5);  // --cfg, --weights
  train.insert(train.end(), {"--weights", out("half.pt")});
  ASSERT_EQ(run(train).code, 0);
  ASSERT_EQ(run({"train", "--resume", folder("pruned").string()}).code, 0);
  const std::string best = (folder("pruned") / "weights/best.pt").string();
  EXPECT_LT(done({"info", "--weights", best, "--json"})["parameters"].get<int>(),
            0.6 * report["parameters"]["before"].get<int>());
  EXPECT_EQ(run({"val", "--weights", best, "--data", (data() / "data.yaml").string(), "--img-size",
                 "96", "--project", out("val"), "--name", "v"})
                .code,
            0);
  // Both prove that they are the same detector before they write.
  done({"reparam", "--weights", best, "--out", out("deploy.pt"), "--img-size", "64", "--json"});
  done({"export", "--weights", best, "--img-size", "64", "--include", "all", "--out", out("all"),
        "--json"});
  EXPECT_EQ(prune("again.pt", {"--ratio", "0.3", "--round", "4"}, best).code, 0);
}

// The promise of a target: reached by measurement, or a clear no and no file.
TEST_F(Pruned, ATimeIsReachedOrRefused) {
  const Outcome some = prune("faster.pt", {"--target-time", "-10%", "--round", "64"});
  if (some.code == 0) {
    const json seconds = json::parse(some.out)["seconds"];
    EXPECT_LE(seconds["after"].get<double>(), .9 * seconds["before"].get<double>());
    EXPECT_GT(seconds["shapes_timed"], 30) << "the convolutions of tiny";
  } else {  // a machine too busy to measure
    EXPECT_TRUE(has(some.err, "expected widths that take 10 % less time, found")) << some.err;
    EXPECT_FALSE(fs::exists(out("faster.pt")));
  }
  const Outcome none =
      prune("never.pt", {"--target-time", "-90%", "--round", "64", "--least-share", "0.9"});
  EXPECT_EQ(none.code, 1);
  EXPECT_TRUE(has(none.err, "expected widths that take 90 % less time, found")) << none.err;
  EXPECT_FALSE(fs::exists(out("never.pt")));
}

// Three channels that are zero for every image.
TEST_F(Pruned, DeadChannelsGoAndNothingChanges) {
  network::Checkpoint parent = network::read_checkpoint(start());
  const network::Network network = network::unfolded_network(parent);
  const auto groups = network::channel_groups(network);
  network::Weights& weights = parent.ema.size() > 0 ? parent.ema : parent.model;
  for (const std::size_t group : {0, 7, 20})
    network::silence(weights, network, groups[group].units[3]);
  network::write_checkpoint(out("silent.pt"), parent);
  const Outcome outcome = prune("alive.pt", {"--dead"}, out("silent.pt"));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json report = json::parse(outcome.out);
  EXPECT_EQ(report["channels"]["removed"], 3);
  EXPECT_LE(report["float64_difference"].get<double>(), 1e-9);

  const Outcome none = prune("none.pt", {"--dead"});
  EXPECT_EQ(none.code, 1);
  EXPECT_TRUE(has(none.err, "expected channels to remove, found none that change nothing"))
      << none.err;
  EXPECT_FALSE(fs::exists(out("none.pt")));
}

TEST_F(Pruned, TheReferencesHelperSetsWeightsToZero) {
  const json report = json::parse(prune("sparse.pt", {"--unstructured", "0.3"}).out);
  // 30 % of the convolutions' weights, which are nearly all parameters.
  EXPECT_NEAR(report["sparsity"].get<double>(), .3, .005);
  EXPECT_EQ(done({"info", "--weights", out("sparse.pt"), "--json"})["parameters"],
            report["parameters"]);
}

TEST_F(Pruned, BadInputIsOneLine) {
  const auto refused = [&](const std::vector<std::string>& more, int code, const std::string& part,
                           const std::string& weights) {
    const Outcome outcome = prune("bad.pt", more, weights);
    EXPECT_EQ(outcome.code, code) << part << outcome.err;
    EXPECT_TRUE(has(outcome.err, part)) << part << "\n" << outcome.err;
    EXPECT_EQ(line_count(outcome.err), 1u) << outcome.err;
    EXPECT_FALSE(fs::exists(out("bad.pt")));
  };
  write_text(out("text.pt"), "no checkpoint");
  refused({}, 2, "expected one of --target-time, --ratio, --dead and --unstructured, found none",
          start());
  refused({"--dead", "--ratio", "0.2"}, 2, "found several", start());
  refused({"--target-time", "35"}, 2, "--target-time: expected -1% to -90%, found '35'", start());
  refused({"--target-time", "-95%"}, 2, "found '-95%'", start());
  refused({"--ratio", "0.3"}, 1, "text.pt", out("text.pt"));
  refused({"--ratio", "0.3"}, 1, "missing.pt", out("missing.pt"));
  const Outcome itself =
      run({"prune", "--weights", out("text.pt"), "--out", out("text.pt"), "--ratio", "0.3"});
  EXPECT_NE(itself.code, 0);
  EXPECT_EQ(read_text(out("text.pt")), "no checkpoint");
}

}  // namespace
}  // namespace yolov7::test
