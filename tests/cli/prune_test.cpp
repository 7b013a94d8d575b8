// yolov7 prune as a user calls it, and a pruned network through everything that takes a network.
#include "network/transform/prune.hpp"

#include <functional>
#include <nlohmann/json.hpp>

#include "api/pruning.hpp"
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

// What is reported of a time that was reached is true of the file: with 64 channels at least in
// each group there is far more to cut than was asked for.
TEST_F(Pruned, ATimeIsReached) {
  const Outcome outcome = prune("faster.pt", {"--target-time", "-10%", "--round", "64"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json report = json::parse(outcome.out);
  const json& seconds = report["seconds"];
  EXPECT_LE(seconds["after"].get<double>(), .9 * seconds["before"].get<double>());
  EXPECT_GT(seconds["shapes_timed"], 30) << "the convolutions of tiny";
  EXPECT_FALSE(report["groups"].empty());
  int removed = 0;
  for (const json& group : report["groups"]) {
    const int before = group["before"].get<int>(), after = group["after"].get<int>();
    EXPECT_LT(after, before) << group;
    EXPECT_EQ(after % 64, 0) << group;
    removed += before - after;
  }
  EXPECT_EQ(report["channels"]["removed"], removed);
  EXPECT_LT(report["gflops"]["after"].get<double>(), report["gflops"]["before"].get<double>());
  EXPECT_LT(report["parameters"]["after"].get<int>(), report["parameters"]["before"].get<int>());
  EXPECT_EQ(done({"info", "--weights", out("faster.pt"), "--json"})["parameters"],
            report["parameters"]["after"]);
}

TEST_F(Pruned, ATimeThatNoCutReachesIsRefused) {
  const Outcome none =
      prune("never.pt", {"--target-time", "-90%", "--round", "64", "--least-share", "0.9"});
  EXPECT_EQ(none.code, 1);
  EXPECT_TRUE(has(none.err, "expected widths that take 90 % less time, found")) << none.err;
  EXPECT_FALSE(fs::exists(out("never.pt")));
}

/// A channel that is 1 for every image: its batch-norms have γ = 0 and β = 1.
void make_constant(network::Weights& weights, const network::Network& whole,
                   const network::ChannelUnit& unit) {
  for (const network::Operation& op : whole.operations)
    for (const auto& [value, channel] : unit.members)
      if (const network::BatchNorm* norm = op.as<network::BatchNorm>();
          norm != nullptr && value == op.output) {
        network::set_element(weights, norm->tensor + ".weight", static_cast<std::size_t>(channel),
                             0);
        network::set_element(weights, norm->tensor + ".bias", static_cast<std::size_t>(channel), 1);
      }
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

// By factors alone unit 9 counts as little as unit 3 and would go first, being the later one; but
// something depends on it, and outputs without it are refused.
TEST_F(Pruned, DeadChannelsGoBeforeLiveOnesWithoutAFactor) {
  network::Checkpoint parent = network::read_checkpoint(start());
  const network::Network network = network::unfolded_network(parent);
  const auto groups = network::channel_groups(network);
  network::Weights& weights = parent.ema.size() > 0 ? parent.ema : parent.model;
  for (const std::size_t group : {0, 7, 20}) {
    network::silence(weights, network, groups[group].units[3]);
    make_constant(weights, network, groups[group].units[9]);
  }
  network::write_checkpoint(out("constants.pt"), parent);
  const Outcome outcome =
      prune("varied.pt", {"--dead", "--importance", "scale"}, out("constants.pt"));
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json report = json::parse(outcome.out);
  EXPECT_EQ(report["channels"]["removed"], 3);
  EXPECT_LE(report["float64_difference"].get<double>(), 1e-9);
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
