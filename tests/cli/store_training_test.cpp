// A training from a version store: what is kept of it, and what is asked back.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/narrow_runs.hpp"

namespace yolov7::test {
namespace {

using nlohmann::json;

class StoreTraining : public NarrowRuns {
 protected:
  static std::vector<std::string> environment() {
    return {"YOLOV7_STORE=" + (*scratch / "store").string()};
  }
  Outcome call(const std::vector<std::string>& arguments) {
    return run(arguments, scratch->path(), environment());
  }
  json result(std::vector<std::string> arguments) {
    arguments.push_back("--json");
    const Outcome outcome = call(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.code == 0 ? json::parse(outcome.out) : json();
  }
  std::vector<std::string> training(const std::string& name, const std::string& data) {
    std::vector<std::string> all = arguments(name, 1);
    *std::next(std::find(all.begin(), all.end(), "--data")) = data;
    return all;
  }
};

TEST_F(StoreTraining, ModelsAndVersionsKnowOneAnother) {
  const json first = result({"dataset", "version", "create", data().string(), "--name", "drawn"});
  const std::string id = first["id"];
  const Outcome trained = call(training("stored", "store:drawn"));
  ASSERT_EQ(trained.code, 0) << trained.err;
  const std::string last = (folder("stored") / "weights/last.pt").string();
  const network::Checkpoint checkpoint = network::read_checkpoint(last);
  EXPECT_TRUE(has(checkpoint.state, "store:drawn@" + id)) << checkpoint.state.substr(0, 2000);

  const json behind = result({"dataset", "version", "which", last});
  EXPECT_EQ(behind["from"][0]["version"], id);
  EXPECT_EQ(behind["from"][0]["kind"], "checkpoint");
  const std::string converted = (*scratch / "model.safetensors").string();
  ASSERT_EQ(call({"convert", "--weights", last, "--to", "safetensors", "--out", converted}).code,
            0);
  EXPECT_EQ(result({"dataset", "version", "which", converted})["from"][0]["kind"], "derived model");
  const json made = result({"dataset", "version", "which", "drawn@v1"});
  std::vector<std::string> kinds;
  for (const json& one : made["made"]) kinds.push_back(one["kind"]);
  EXPECT_EQ(kinds, (std::vector<std::string>{"run", "checkpoint", "checkpoint", "derived model"}));
  const json folder_of_run = result({"dataset", "version", "which", folder("stored").string()});
  EXPECT_EQ(folder_of_run["from"].size(), 3u);
  fs::path image;
  for (const auto& entry : fs::recursive_directory_iterator(data() / "images/train"))
    if (entry.is_regular_file()) image = entry.path();
  const json seen = result({"dataset", "version", "which", image.string()});
  EXPECT_EQ(seen["learned_from_it"].size(), 4u);

  // It stays, for models come from it.
  const Outcome kept = call({"dataset", "version", "gc", "--drop", "drawn@v1"});
  EXPECT_EQ(kept.code, 1);
  EXPECT_TRUE(has(kept.err, "that nothing was made from")) << kept.err;

  // Another version is refused by name, unless it is wanted.
  fs::path label;
  for (const auto& entry : fs::recursive_directory_iterator(data() / "labels/train"))
    if (entry.is_regular_file()) label = entry.path();
  write_text(label, "0 0.5 0.5 0.25 0.25\n");
  result({"dataset", "version", "create", data().string(), "--name", "drawn"});
  std::vector<std::string> resumed = {
      "train", "--resume", folder("stored").string(), "--data", "store:drawn@v2", "--epochs", "2"};
  const Outcome refused = call(resumed);
  EXPECT_EQ(refused.code, 1);
  EXPECT_TRUE(has(refused.err, "is not the one this run began with")) << refused.err;
  EXPECT_TRUE(has(refused.err, label.stem().string())) << refused.err;
  resumed.push_back("--accept-changed-data");
  EXPECT_EQ(call(resumed).code, 0);
}

TEST_F(StoreTraining, ASearchKeepsTheVersionThatItBeganWith) {
  const json made = result({"dataset", "version", "create", data().string(), "--name", "searched"});
  std::vector<std::string> search = training("search", "store:searched");
  search[0] = "evolve";
  search.insert(search.end(), {"--generations", "1", "--time", "1e-9"});  // none is trained
  const Outcome begun = call(search);
  ASSERT_EQ(begun.code, 0) << begun.err;
  const std::string kept = read_text(folder("search") / "evolve.yaml");
  EXPECT_TRUE(has(kept, "store:searched@" + made["id"].get<std::string>())) << kept;
}

}  // namespace
}  // namespace yolov7::test
