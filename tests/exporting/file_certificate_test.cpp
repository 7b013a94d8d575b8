// A certificate is read back as it was written; what changed since then is named.
#include "exporting/file_certificate.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "equivalence/certificate.hpp"
#include "tests/exporting/networks.hpp"
#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::exporting;
using namespace yolov7::testing;

namespace {

struct Written {
  test::ScratchFolder folder;
  ExportOptions options;
  ExportModel model;
  FileCheck check;
  nlohmann::json certificate(const std::filesystem::path& file) {
    options.weights = (folder / "runs/best.pt").string();
    options.conf_thres = 0.125, options.nms = true, options.img_size = {32, 64};
    model = export_model(every_primitive(2), 32, 64, options);
    model.weights_sha256 = std::string(64, '0');
    check.verdict = "structure only";
    return file_certificate(format("onnx"), model, options, check, file, file, {});
  }
};

}  // namespace

TEST(FileCertificate, NamesStayWhole) {
  const auto beside = [](const char* file) {
    return equivalence::file_certificate_path(file).string();
  };
  EXPECT_EQ(beside("a/best.onnx"), "a/best.onnx.certificate.json");
  EXPECT_EQ(beside("a/best_openvino_model/"), "a/best_openvino_model.certificate.json");
  EXPECT_EQ(equivalence::certified_file("a/best.onnx.certificate.json")->string(), "a/best.onnx");
  EXPECT_FALSE(equivalence::certified_file("a/best.onnx"));
}

TEST(FileCertificate, IsReadBackAsItWasWritten) {
  Written one;
  const CertifiedFile read =
      read_file_certificate(one.certificate(one.folder.write("out/x.onnx", "abc")), "test");
  EXPECT_EQ(read.format, &format("onnx"));
  EXPECT_EQ(read.weights, "../runs/best.pt");
  EXPECT_EQ(read.options.conf_thres, 0.125);
  EXPECT_TRUE(read.options.nms);
  EXPECT_EQ(read.options.img_size, (std::vector<int>{32, 64}));
  EXPECT_EQ(read.options.weights, "");
  ASSERT_EQ(read.parts.size(), 1U);
  // FIPS 180-4: the digest of "abc".
  EXPECT_EQ(read.parts[0].sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(FileCertificate, OtherJsonIsNoneAndTheFieldIsNamed) {
  const struct {
    const char *text, *message;
  } cases[] = {
      {"{}", "test: expected a text in the field 'kind', found no such field"},
      {"[]", "test: expected an object, found a list"},
      {"3", "test: expected an object, found a number"},
      {R"({"kind": "reparameterization"})",
       "test: expected the certificate of an export in the field 'kind' ('export'), found "
       "'reparameterization'"},
      {R"({"kind": "export"})", "test: expected a text in the field 'format', found no such field"},
      {R"({"kind": "export", "format": "onnx", "verdict": 1})",
       "test: expected a text in the field 'verdict', found a number"},
      {R"({"kind": "export", "format": "onnx", "verdict": "", "checked": "", "weights": []})",
       "test: expected an object in the field 'weights', found a list"}};
  for (const auto& one : cases)
    EXPECT_EQ(
        test::error_of([&] { read_file_certificate(nlohmann::json::parse(one.text), "test"); }),
        one.message);
  Written one;
  nlohmann::json certificate = one.certificate(one.folder.write("x.onnx", "abc"));
  certificate["options"]["conf-thres"] = 0.5;
  EXPECT_EQ(test::error_of([&] { read_file_certificate(certificate, "test"); }),
            "test: expected a text in the field 'options.conf-thres', found a number");
  certificate = one.certificate(one.folder / "x.onnx");
  certificate["files"][0].erase("sha256");
  EXPECT_EQ(test::error_of([&] { read_file_certificate(certificate, "test"); }),
            "test: expected a text in the field 'files[0].sha256', found no such field");
}

// A certificate may come from anybody: it names no file outside the model.
TEST(FileCertificate, NamesLeadNowhereElse) {
  Written one;
  nlohmann::json certificate = one.certificate(one.folder.write("x.onnx", "abc"));
  for (const char* name : {"/dev/zero", "../secret", "a/../../secret", ""}) {
    certificate["files"][0]["name"] = name;
    EXPECT_NE(test::error_of([&] {
                read_file_certificate(certificate, "test");
              }).find("below the model's folder"),
              std::string::npos)
        << name;
  }
  certificate["files"][0]["name"] = "x.onnx";
  certificate["format"] = "exe";
  EXPECT_NE(test::error_of([&] { read_file_certificate(certificate, "test"); }).find("found 'exe'"),
            std::string::npos);
}

TEST(FileCertificate, ChangesAreNamed) {
  Written one;
  one.folder.write("m/a.xml", "1");
  one.folder.write("m/deep/b.bin", "2");
  const CertifiedFile read = read_file_certificate(one.certificate(one.folder / "m"), "test");
  EXPECT_TRUE(changed_parts(read, one.folder / "m", {}).empty());
  one.folder.write("m/deep/b.bin", "3");
  one.folder.write("m/c", "4");
  std::filesystem::remove(one.folder / "m/a.xml");
  const auto changes = changed_parts(read, one.folder / "m", {});
  ASSERT_EQ(changes.size(), 3U);
  EXPECT_EQ(changes[0], "a.xml: it is missing");
  EXPECT_EQ(changes[1].substr(0, 20), "deep/b.bin: SHA-256 ");
  EXPECT_EQ(changes[2], "c: it is not in the certificate");
}

TEST(FactsBreach, NamesBothSides) {
  Written one;
  one.certificate(one.folder.write("x", ""));
  const ExportModel& model = one.model;
  runtime::ModelFacts facts;
  facts.names = model.names;
  facts.stride = 8;
  facts.levels = model.network().levels;
  EXPECT_EQ(facts_breach(facts, model), "");
  facts.stride = 16;
  EXPECT_EQ(facts_breach(facts, model), "the file tells a stride of 16, the weights have 8");
  facts.stride = 8, facts.fill = 0;
  EXPECT_NE(facts_breach(facts, model).find("letterbox fill of 0"), std::string::npos);
  facts.fill = 114, facts.rgb = false;
  EXPECT_NE(facts_breach(facts, model).find("B G R"), std::string::npos);
  facts.rgb = true, facts.levels[1].anchors[0].h = 31;
  EXPECT_EQ(facts_breach(facts, model),
            "level 1: the file tells stride 8, anchors 24 x 31 33 x 18, the weights have stride 8, "
            "anchors 24 x 30 33 x 18");
  facts.names[0] = "another";
  EXPECT_EQ(facts_breach(facts, model), "the file's class names are not the weights'");
}
