// Certificates of exported files, verify on them, labelled images, and what is left of a killed
// export.
#include <sys/wait.h>

#include "core/sha256.hpp"
#include "tests/cli/export_fixture.hpp"

namespace yolov7::test {
namespace {

namespace fs = std::filesystem;

class ExportProof : public Export {
 protected:
  const std::string out = (scratch / "out").string(), onnx = out + "/official.onnx";

  Outcome verify(std::vector<std::string> more) {
    more.insert(more.begin(), "verify");
    return run(more);
  }
  /// Four images with one object each, of the checkpoint's classes.
  std::string data() {
    for (int i = 0; i < 4; ++i) {
      const std::string stem = "data/images/val/" + std::to_string(i);
      scratch.write(stem + ".bmp", noise_bmp(64 + 4 * i));
      scratch.write("data/labels/val/" + std::to_string(i) + ".txt", "0 0.5 0.5 0.4 0.4\n");
    }
    return scratch
        .write("data/data.yaml",
               "path: " + (scratch / "data").string() + "\nval: images/val\nnames: [a, b]\n")
        .string();
  }
};

}  // namespace

TEST_F(ExportProof, TheCertificateTellsWhatWasComparedAndHow) {
  scratch.write("images/a.bmp", noise_bmp(64));
  const json file = result({"--include", "onnx", "--grid", "--conf-thres", "0.3", "--out", out,
                            "--images", (scratch / "images").string()})
                        .at("files")
                        .at(0);
  const json& c = file.at("certificate");
  EXPECT_EQ(c.at("verdict"), "equal");
  EXPECT_EQ(c.at("precision"), "float32");
  ASSERT_EQ(c.at("files").size(), 1U);
  EXPECT_EQ(c.at("files").at(0).at("name"), "official.onnx");
  EXPECT_EQ(c.at("files").at(0).at("sha256"), sha256(read_text(onnx)));
  EXPECT_EQ(c.at("files").at(0).at("bytes"), fs::file_size(onnx));
  EXPECT_EQ(c.at("weights").at("sha256"), sha256(read_text(in)));
  EXPECT_EQ(c.at("weights").at("path"), "../official.pt") << "seen from the certificate";
  EXPECT_EQ(c.at("options").at("conf-thres"), "0.3");
  EXPECT_EQ(c.at("options").at("grid"), "true");
  EXPECT_FALSE(c.at("options").contains("weights"));
  ASSERT_EQ(c.at("images").size(), 5U);
  EXPECT_EQ(c.at("images").at(4).at("name"), "a.bmp");
  EXPECT_TRUE(has(c.at("checked_by").get<std::string>(), "OpenVINO"));
  EXPECT_EQ(c.at("limits").at("box_px"), 0.01);
  EXPECT_LE(c.at("differences").at("largest_box_px"), 0.01);
  const json& d = c.at("detections");
  EXPECT_EQ(d.at("weights").get<int>(),
            d.at("matched").get<int>() + d.at("lost").get<int>() + d.at("moved").get<int>());
  EXPECT_EQ(d.at("conf_thres"), 0.3);
  for (const char* side : {"weights", "file"}) {
    EXPECT_GT(c.at("speed").at(side).at("load_ms"), 0);
    EXPECT_GT(c.at("speed").at(side).at("latency_ms"), 0);
    EXPECT_GT(c.at("speed").at(side).at("images_per_second"), 0);
  }
}

TEST_F(ExportProof, WithoutAReaderTheStructureIsAllThatIsSaid) {
  const json files = result({"--include", "ncnn", "coreml", "--out", out}).at("files");
  ASSERT_EQ(files.size(), 2U);
  for (const json& file : files) {
    EXPECT_EQ(file.at("certificate").at("verdict"), "structure only");
    EXPECT_EQ(file.at("certificate").at("checked_by"), "structure only");
    EXPECT_FALSE(file.at("certificate").contains("differences"));
  }
  const Outcome again = verify({out + "/official_ncnn_model"});
  EXPECT_EQ(again.code, 0) << again.out << again.err;
  EXPECT_TRUE(has(again.out, "written again from the weights (the same bytes")) << again.out;
}

TEST_F(ExportProof, VerifyComparesAgainFromTheFileOrItsCertificate) {
  result({"--include", "onnx", "openvino", "--half", "--out", out});
  for (const std::string& given :
       {onnx, onnx + ".certificate.json", out + "/official_openvino_model",
        out + "/official_openvino_model/", out + "/official_openvino_model.certificate.json"}) {
    const Outcome outcome = verify({given});
    EXPECT_EQ(outcome.code, 0) << given << outcome.out << outcome.err;
    EXPECT_TRUE(has(outcome.out, "holds: the file against")) << outcome.out;
    EXPECT_TRUE(has(outcome.out, "as certified on")) << outcome.out;
  }
}

TEST_F(ExportProof, VerifyFindsTheImagesOfAPattern) {
  scratch.write("images/a.bmp", noise_bmp(64));
  result({"--include", "onnx", "--out", out, "--images", (scratch / "images/*.bmp").string()});
  const Outcome outcome = verify({onnx});
  EXPECT_EQ(outcome.code, 0) << outcome.out << outcome.err;
  EXPECT_FALSE(has(outcome.out, "are not there")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "on 5 images")) << outcome.out;
}

TEST_F(ExportProof, VerifyNamesWhatChanged) {
  result({"--include", "onnx", "openvino", "--out", out});
  const std::string whole = read_text(onnx);
  write_text(onnx, whole + "x");
  Outcome outcome = verify({onnx});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome.out, "official.onnx: SHA-256 " + sha256(whole) + " in the certificate, " +
                                   sha256(whole + "x") + " found"))
      << outcome.out;
  EXPECT_FALSE(has(outcome.out, "against")) << "a changed file is not run";
  const std::string folder = out + "/official_openvino_model";
  fs::remove(folder + "/metadata.yaml");
  write_text(folder + "/more.txt", "x");
  outcome = verify({folder, "--hashes-alone"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome.out, "metadata.yaml: it is missing")) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "more.txt: it is not in the certificate")) << outcome.out;
}

// Its figures are compared with those found now.
TEST_F(ExportProof, AnEditedCertificateIsRefusedByItsField) {
  result({"--include", "onnx", "ncnn", "--out", out});
  const std::string place = onnx + ".certificate.json", whole = read_text(place);
  json edited = json::parse(whole);
  const int rows = edited.at("differences").at("rows");
  edited["differences"]["rows"] = rows + 1;
  write_text(place, edited.dump());
  Outcome outcome = verify({onnx});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(
      has(outcome.out, "BROKEN: the certificate (differences.rows: " + std::to_string(rows + 1) +
                           " in the certificate, " + std::to_string(rows) + " found)"))
      << outcome.out;
  write_text(place, whole);
  outcome = verify({onnx});
  EXPECT_EQ(outcome.code, 0) << outcome.out;
  EXPECT_TRUE(has(outcome.out, "holds: the certificate (")) << outcome.out;
  const std::string ncnn = out + "/official_ncnn_model.certificate.json";
  edited = json::parse(read_text(ncnn));
  edited["verdict"] = "equal";
  write_text(ncnn, edited.dump());
  outcome = verify({out + "/official_ncnn_model"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome.out, "verdict: equal in the certificate, structure only found"))
      << outcome.out;
  write_text(place, "{}");
  outcome = verify({onnx});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome.err, "expected a text in the field 'kind', found no such field"))
      << outcome.err;
}

TEST_F(ExportProof, VerifyWantsTheWeightsThatWereExported) {
  result({"--include", "onnx", "--out", out});
  const std::string moved = (scratch / "moved.pt").string();
  fs::rename(in, moved);
  Outcome outcome = verify({onnx});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome.err, "give --parent FILE, or --hashes-alone")) << outcome.err;
  EXPECT_EQ(verify({onnx, "--hashes-alone"}).code, 0);
  outcome = verify({onnx, "--hashes-alone", "--parent", moved});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_TRUE(has(outcome.err, "--hashes-alone: nothing is run, expected no --parent with it"))
      << outcome.err;
  EXPECT_EQ(verify({onnx, "--parent", moved}).code, 0);
  write_text(moved, read_text(moved) + "x");
  outcome = verify({onnx, "--parent", moved});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome.out, "BROKEN: the weights")) << outcome.out;
  outcome = verify({(scratch / "nothing.onnx").string()});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(has(outcome.err, "expected a model file with its certificate")) << outcome.err;
}

TEST_F(ExportProof, LabelledImagesGiveTheMapOfBoth) {
  const std::string yaml = data();
  const json c = result({"--include", "tflite", "--out", out, "--data", yaml})
                     .at("files")
                     .at(0)
                     .at("certificate");
  const json& accuracy = c.at("accuracy");
  EXPECT_EQ(accuracy.at("images"), 4);
  EXPECT_EQ(accuracy.at("labels"), 4);
  EXPECT_EQ(accuracy.at("data"), "../data/data.yaml");
  EXPECT_LE(accuracy.at("map_change").at("low"), accuracy.at("map_change").at("value"));
  EXPECT_GE(accuracy.at("map_change").at("high"), accuracy.at("map_change").at("value"));
  const Outcome again = verify({out + "/official.tflite"});
  EXPECT_EQ(again.code, 0) << again.out << again.err;
  EXPECT_TRUE(has(again.out, "; mAP ")) << again.out;
  const Outcome refused =
      run({"export", "--weights", in, "--img", "64", "96", "--include", "onnx", "--data", yaml});
  EXPECT_EQ(refused.code, 2);
  EXPECT_TRUE(has(refused.err, "equal height and width")) << refused.err;
}

// A mAP of 0 on both sides would be a number of nothing.
TEST_F(ExportProof, WithoutLabelsThereIsNoMap) {
  const std::string yaml = data();
  fs::remove_all(scratch / "data/labels");
  const Outcome outcome = exported({"--include", "onnx", "--out", out, "--data", yaml, "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "the val split has no labels: the accuracy is not measured"))
      << outcome.err;
  const json c = json::parse(outcome.out).at("files").at(0).at("certificate");
  EXPECT_EQ(c.at("verdict"), "equal");
  EXPECT_FALSE(c.contains("accuracy"));
}

TEST_F(ExportProof, TwoModelsAreComparedOnTheSameImages) {
  const std::string yaml = data();
  result({"--include", "onnx", "--out", out});
  const Outcome outcome =
      run({"compare", in, onnx, "--data", yaml, "--img", "64", "--bootstrap", "50", "--json"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const json found = json::parse(outcome.out);
  EXPECT_EQ(found.at("pictures"), 4);
  EXPECT_EQ(found.at("map").at("verdict"), "no difference is shown");
  const Outcome other = run({"compare", in, onnx, "--data", yaml, "--img", "96"});
  EXPECT_EQ(other.code, 2);
  EXPECT_TRUE(has(other.err, "--img-size 96: " + onnx + " takes images of 64 x 64 px alone"))
      << other.err;
  const std::string results = scratch.write("a.json", " [\n]").string();
  const Outcome mixed = run({"compare", results, onnx, "--data", yaml});
  EXPECT_EQ(mixed.code, 2);
  EXPECT_TRUE(has(mixed.err, "found a result file (" + results + ") and a model")) << mixed.err;
}

TEST_F(ExportProof, WhatAKilledExportLeftIsRemovedAndSaid) {
  const pid_t gone = ::fork();
  if (gone == 0) ::_exit(0);
  int status = 0;
  ::waitpid(gone, &status, 0);
  const fs::path stale = fs::path(out) / (".official.onnx." + std::to_string(gone) + ".export"),
                 other =
                     fs::path(out) / (".official.onnx." + std::to_string(::getpid()) + ".export");
  write_text(stale / "official.onnx", "half of it");
  write_text(other / "official.onnx", "of a process that is at work");
  const Outcome outcome = exported({"--include", "onnx", "--out", out});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_FALSE(fs::exists(stale));
  EXPECT_TRUE(fs::exists(other));
  EXPECT_TRUE(has(outcome.err, stale.filename().string() + ": removed")) << outcome.err;
}

TEST_F(ExportProof, AStopInTheMiddleLeavesNothingHalf) {
  Process process({"export", "--weights", in, "--img", "1280", "--batch-size", "2", "--include",
                   "onnx", "openvino", "tflite", "saved_model", "pb", "--out", out},
                  scratch.path());
  for (int i = 0; i < 2000 && !fs::exists(onnx); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  process.send(SIGINT);
  const Outcome outcome = process.wait();
  // On a machine that wrote all of them meanwhile there was nothing to stop.
  EXPECT_TRUE(outcome.code == 130 || outcome.code == 0) << outcome.code << outcome.err;
  std::size_t models = 0, certificates = 0;
  for (const auto& entry : fs::directory_iterator(out)) {
    const std::string name = entry.path().filename().string();
    EXPECT_FALSE(name.starts_with(".")) << name;
    const bool certificate = name.ends_with(".certificate.json");
    ++(certificate ? certificates : models);
    EXPECT_TRUE(certificate || has(outcome.out, name)) << name << " is not told\n" << outcome.out;
  }
  EXPECT_EQ(models, certificates);
  EXPECT_GE(models, 1U);
  if (outcome.code == 130) {
    EXPECT_LT(models, 5U);
    EXPECT_TRUE(has(outcome.err, "interrupted: not written: ")) << outcome.err;
  }
}

// Where a small file system can be mounted, which wants rights that not every machine gives.
TEST_F(ExportProof, AFullDiskIsNamed) {
  fs::create_directories(out);
  const std::string mount = "mount -t tmpfs -o size=8k tmpfs '" + out + "' 2>/dev/null";
  if (std::system(mount.c_str()) != 0) GTEST_SKIP() << "no file system can be mounted here";
  for (const char* format : {"onnx", "openvino", "tflite", "saved_model", "ncnn", "coreml"}) {
    const Outcome outcome = exported({"--include", format, "--out", out});
    EXPECT_EQ(outcome.code, 1) << outcome.out;
    EXPECT_TRUE(has(outcome.err, std::string(format) + ": the disk is full")) << outcome.err;
    EXPECT_TRUE(fs::is_empty(out)) << format;
  }
  EXPECT_EQ(std::system(("umount '" + out + "'").c_str()), 0);
}

// The last row of each format: name, file, size, verdict, and the line that uses it.
TEST_F(ExportProof, ATableEndsTheExport) {
  const Outcome outcome = exported({"--include", "onnx", "ncnn", "engine", "--out", out});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const std::size_t head = outcome.out.find("format           file");
  ASSERT_NE(head, std::string::npos) << outcome.out;
  const std::string table = outcome.out.substr(head);
  EXPECT_EQ(line_count(table), 4U) << table;
  EXPECT_TRUE(has(table, "yolov7 detect --weights")) << table;
  EXPECT_TRUE(has(table, "structure only")) << table;
  EXPECT_TRUE(has(table, "equal, not built")) << table;
}

}  // namespace yolov7::test
