// yolov7 reparam, verify, scale and info --graph as a user calls them.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "network/checkpoint/checkpoint_file.hpp"
#include "tests/cli/program.hpp"
#include "tests/network/config_fixture.hpp"
#include "tests/network/official_fixture.hpp"

namespace yolov7::test {
namespace {

using nlohmann::json;
using namespace network::hostile;

class Reparam : public testing::Test {
 protected:
  test::ScratchFolder scratch;
  const SmallOfficial small;
  const std::string in = (scratch / "official.pt").string(), out = (scratch / "deploy.pt").string(),
                    beside = (scratch / "deploy.certificate.json").string();

  void SetUp() override {
    OfficialFile file({});
    write_text(in, file.bytes(top(file.model(small.network, small.weights, small.yaml), "N", 4)));
  }
  json reparam(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"reparam", "--weights",  in,   "--out",
                                       out,       "--img-size", "64", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return json::parse(outcome.out, nullptr, false);
  }
  Outcome verify(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"verify", out, "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments);
  }
  static bool broken(const Outcome& outcome, const std::string& check) {
    const json result = json::parse(outcome.out, nullptr, false);
    for (const json& one : result["checks"])
      if (one["check"] == check) return !one["holds"].get<bool>();
    ADD_FAILURE() << "no check '" << check << "' in " << outcome.out << outcome.err;
    return false;
  }
};

TEST_F(Reparam, WritesAProvedModelAndItsCertificate) {
  const json told = reparam();
  const json certificate = json::parse(read_text(beside));
  EXPECT_EQ(told["certificate"], certificate);
  EXPECT_EQ(certificate["kind"], "reparameterization");
  EXPECT_EQ(certificate["parent"]["file"], "official.pt");
  EXPECT_EQ(certificate["child"]["head"], "Detect");
  EXPECT_EQ(certificate["pictures"].size(), 4u);
  for (const json& level : certificate["float64"]["raw"])
    EXPECT_LE(level["largest"].get<double>(), 1e-9 * level["largest_value"].get<double>());
  EXPECT_LT(certificate["child"]["parameters"].get<int>(),
            certificate["parent"]["parameters"].get<int>());
  EXPECT_GT(certificate["backend"]["parent_ms"].get<double>(), 0);
  for (const json& row : certificate["backend"]["boxes"]) EXPECT_EQ(row["matched"], row["parent"]);
  const network::Checkpoint model = network::read_checkpoint(out);
  EXPECT_EQ(json::parse(model.certificate), certificate);
  EXPECT_EQ(model.names, (std::vector<std::string>{"a", "b"}));
  for (const auto& entry : model.inference_weights().entries()) {
    EXPECT_EQ(entry.second.type, network::DataType::float32) << entry.first;
    EXPECT_FALSE(has(entry.first, ".bn.") || has(entry.first, "implicit")) << entry.first;
  }
  EXPECT_EQ(run({"info", "--weights", out}).code, 0);
}

TEST_F(Reparam, HalfPrecisionAliasesAndPictures) {
  const Outcome drawn =
      run({"dataset", "synth", "--out", (scratch / "set").string(), "--level", "easy", "--train",
           "2", "--val", "1", "--test", "1", "--img-size", "64"});
  ASSERT_EQ(drawn.code, 0) << drawn.err;
  const Outcome outcome =
      run({"reparameterize", "--weights", in, "--output", out, "--half", "--images",
           (scratch / "set/images/train").string(), "--img-size", "64", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json certificate = json::parse(outcome.out)["certificate"];
  EXPECT_EQ(certificate["child"]["precision"], "float16");
  EXPECT_FALSE(has(certificate["pictures"][0]["name"].get<std::string>(), "generated"));
  EXPECT_EQ(network::read_checkpoint(out).inference_weights().at("model.0.conv.weight").type,
            network::DataType::float16);
  EXPECT_EQ(verify().code, 0);
  EXPECT_EQ(verify({"--parent", in}).code, 0);
}

TEST_F(Reparam, TextForPeople) {
  const Outcome outcome = run({"reparam", in, "--out", out, "--img-size", "64"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  for (const char* part :
       {"float64, before against after:", "default back end: OpenVINO", "largest |d score|",
        "time of one image (64 x 64):", "equal: the largest difference in float64 is", "written: "})
    EXPECT_TRUE(has(outcome.out, part)) << part << "\n" << outcome.out;
}

TEST_F(Reparam, WrongCalls) {
  EXPECT_EQ(run({"reparam", "--weights", in}).code, 2);
  EXPECT_EQ(run({"reparam", "--out", out}).code, 2);
  EXPECT_EQ(run({"reparam", in, "--out", in}).code, 2);
  const Outcome missing = run({"reparam", (scratch / "none.pt").string(), "--out", out});
  EXPECT_EQ(missing.code, 1);
  EXPECT_FALSE(std::filesystem::exists(out));
}

// A name of 232 letters: the temporary file of the model has a name of at most 255 bytes (.NAME.pt,
// a process, .tmp, and seven more by libzip), that of the certificate has more, so that it fails
// between the two.
TEST_F(Reparam, NoCertificateOfAnOlderModelStays) {
  const std::string stem(232, 'x'), model = (scratch / (stem + ".pt")).string(),
                                    paper = (scratch / (stem + ".certificate.json")).string();
  write_text(paper, "of an older model");
  const Outcome outcome = run({"reparam", "--weights", in, "--out", model, "--img-size", "64"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(std::filesystem::exists(model)) << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(paper));
}

TEST_F(Reparam, VerifyPassesAndFindsWhatChanged) {
  reparam();
  EXPECT_EQ(verify().code, 0) << verify().out;
  EXPECT_EQ(verify({"--parent", in}).code, 0) << verify({"--parent", in}).out;

  // One weight of one tensor.
  network::Checkpoint model = network::read_checkpoint(out);
  const network::Checkpoint good = model;
  const network::Tensor& tensor = model.ema.at("model.0.conv.weight");
  std::vector<float> values = tensor.to_floats();
  values[0] += 0.01F;
  model.ema.set("model.0.conv.weight", network::Tensor::from(values, tensor.shape));
  network::write_checkpoint(out, model);
  EXPECT_EQ(verify().code, 1);
  EXPECT_TRUE(broken(verify(), "tensors"));
  EXPECT_TRUE(broken(verify(), "outputs on the generated images, float64"));
  EXPECT_TRUE(broken(verify({"--parent", in}), "parent folded again"));

  // The certificate beside it.
  network::write_checkpoint(out, good);
  EXPECT_EQ(verify().code, 0);
  write_text(beside, "{}\n");
  EXPECT_EQ(verify().code, 1);
  EXPECT_TRUE(broken(verify(), "certificate beside the model"));
  std::filesystem::remove(beside);
  EXPECT_EQ(verify().code, 0);
  EXPECT_TRUE(has(run({"verify", out}).out, "is not there; the certificate in the file is used"));

  // Another parent.
  network::Checkpoint other = network::read_checkpoint(in);
  network::Weights weights = other.inference_weights();
  const network::Tensor& bias = weights.at("model.0.bn.bias");
  std::vector<double> shifted = bias.to_doubles();
  shifted[0] += 0.5;
  weights.set("model.0.bn.bias", network::Tensor::from(shifted, bias.shape).converted(bias.type));
  (other.ema.size() > 0 ? other.ema : other.model) = weights;
  const std::string stranger = (scratch / "stranger.pt").string();
  network::write_checkpoint(stranger, other);
  EXPECT_EQ(verify({"--parent", stranger}).code, 1);
  EXPECT_TRUE(broken(verify({"--parent", stranger}), "tensors of the parent"));
  EXPECT_TRUE(broken(verify({"--parent", stranger}), "parent folded again"));
}

TEST_F(Reparam, VerifyRefusesOptionsOfExportedFiles) {
  reparam();
  for (const std::vector<std::string>& more : std::vector<std::vector<std::string>>{
           {"--images", "x"}, {"--data", "x"}, {"--hashes-alone"}}) {
    const Outcome outcome = verify(more);
    EXPECT_EQ(outcome.code, 2) << more.front();
    EXPECT_TRUE(has(outcome.err,
                    "verify: " + more.front() + ": expected a file of an export, found " + out))
        << outcome.err;
  }
}

TEST_F(Reparam, VerifyNeedsACertificate) {
  const Outcome outcome = run({"verify", in});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome.err, "expected a certificate in the file, found none")) << outcome.err;
  network::Checkpoint model = network::read_checkpoint(in);
  model.certificate = "{\"child\": 1}";
  network::write_checkpoint(out, model);
  const Outcome broken_json = verify();
  EXPECT_EQ(broken_json.code, 1);
  EXPECT_TRUE(has(broken_json.err, "certificate: ")) << broken_json.err;
}

TEST(Scale, WritesAConfigurationThatTrains) {
  test::ScratchFolder scratch;
  const std::string out = (scratch / "wide.yaml").string();
  const Outcome outcome = run(
      {"scale", "--cfg", "yolov7", "--depth", "1.5", "--width", "1.25", "--out", out, "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json told = json::parse(outcome.out);
  EXPECT_EQ(told["groups"].size(), 8u);
  EXPECT_EQ(told["groups"][0]["after"], 6);
  const Outcome info = run({"info", "--cfg", out, "--json"});
  ASSERT_EQ(info.code, 0) << info.err;
  EXPECT_EQ(json::parse(info.out)["parameters"], told["parameters"]);
  EXPECT_EQ(run({"scale", "--cfg", "yolov7", "--depth", "99", "--out", out}).code, 2);
  EXPECT_EQ(run({"scale", "--cfg", "yolov7"}).code, 2);
  const std::string before = read_text(out);
  const Outcome onto = run({"scale", "--cfg", out, "--depth", "2", "--out", out});
  EXPECT_EQ(onto.code, 2);
  EXPECT_TRUE(has(onto.err, "expected another file than --cfg, found the same")) << onto.err;
  EXPECT_EQ(read_text(out), before);
  EXPECT_EQ(run({"scale", "--cfg", "no-such-network", "--out", out}).code, 1);
  // An earlier configuration may be replaced, nothing else.
  EXPECT_EQ(run({"scale", "--cfg", "yolov7-tiny", "--width", "0.5", "--out", out}).code, 0);
  const std::string notes = scratch.write("notes.txt", "my notes\n").string();
  const Outcome other = run({"scale", "--cfg", "yolov7-tiny", "--width", "0.5", "--out", notes});
  EXPECT_EQ(other.code, 1);
  EXPECT_TRUE(has(other.err, "expected no file, or an earlier configuration, found another file"))
      << other.err;
  EXPECT_EQ(read_text(notes), "my notes\n");
}

TEST(InfoGraph, DrawsSvgAndDot) {
  test::ScratchFolder scratch;
  for (const char* name : {"net.svg", "net.dot"}) {
    const std::string file = (scratch / name).string();
    const Outcome outcome = run({"info", "--cfg", "yolov7-tiny", "--graph", file});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_TRUE(has(outcome.out, "receptive field: up to ")) << outcome.out;
    EXPECT_TRUE(has(read_text(file), "77  IDetect")) << name;
  }
  const Outcome wrong =
      run({"info", "--cfg", "yolov7-tiny", "--graph", (scratch / "net.pdf").string()});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_TRUE(has(wrong.err, "expected a file that ends in .svg or .dot")) << wrong.err;
}

}  // namespace
}  // namespace yolov7::test
