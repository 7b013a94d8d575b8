// report.html from files written by hand.
#include "monitoring/report.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "core/error.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::monitoring {
namespace {

namespace fs = std::filesystem;

class Report : public testing::Test {
 protected:
  test::ScratchFolder folder;
};

bool has(const std::string& page, const std::string& part) {
  return page.find(part) != std::string::npos;
}

TEST_F(Report, ShowsTheBestEpochAndEscapesWhatComesFromData) {
  folder.write("results.csv",
               "epoch,coco/mAP_0.5,fitness\n0,0.25,0.1\n1,0.87654321,0.5\n2,0.5,0.3\n");
  folder.write("per_class.csv",
               "class,targets\n\"a, <script>alert(1)</script> \"\"b\"\"\",3\nplain,4\n");
  folder.write("opt.yaml", "name: <b>\n");
  folder.write("results.png", "PNG");
  const std::string page = run_report(folder.path());
  EXPECT_TRUE(has(page, "Best epoch: 1 (of 3, counted from 0)"));
  EXPECT_TRUE(has(page, "<td>mAP50, COCO</td><td>0.8765</td>"));
  EXPECT_TRUE(
      has(page, "<td>a, &lt;script&gt;alert(1)&lt;/script&gt; &quot;b&quot;</td><td>3</td>"));
  EXPECT_TRUE(has(page, "name: &lt;b&gt;"));
  EXPECT_TRUE(has(page, "src=\"data:image/png;base64,UE5H\""));
  EXPECT_FALSE(has(page, "<script"));
  EXPECT_FALSE(has(page, "http://") || has(page, "https://"));
  EXPECT_FALSE(has(page, "Final validation"));  // it has no pictures
}

// Ties: the later epoch, as best.pt.
TEST_F(Report, TheLaterOfEqualEpochs) {
  folder.write("results.csv", "epoch,fitness\n0,0.5\n1,0.5\n2,0.4\n");
  EXPECT_TRUE(has(run_report(folder.path()), "Best epoch: 1 "));
}

// Epochs 1 and 2 were not validated: their rows repeat what epoch 0 had, which best.pt is of.
TEST_F(Report, AnEpochWithoutAValidationIsNotTheBest) {
  folder.write("results.csv", "epoch,validated,fitness\n0,1,0.5\n1,0,0.5\n2,0,0.5\n3,1,0.4\n");
  EXPECT_TRUE(has(run_report(folder.path()), "Best epoch: 0 (of 4, counted from 0)"));
}

TEST_F(Report, ShowsWhatCertificatesSayOfExportedFiles) {
  folder.write("results.csv", "epoch,fitness\n0,0.5\n");
  EXPECT_FALSE(has(run_report(folder.path()), "Exported files"));
  folder.write("weights/best.onnx.certificate.json", R"({"kind": "export", "format": "onnx",
    "verdict": "equal", "files": [{"bytes": 1500000}, {"bytes": 500000}], "checked_by": "<OpenVINO>",
    "detail": "on 4 images", "speed": {"file": {"latency_ms": 7.25, "images_per_second": 138},
    "weights": {"latency_ms": 8, "images_per_second": 125}}})");
  folder.write("weights/best.certificate.json", R"({"kind": "reparameterization"})");
  const std::string page = run_report(folder.path());
  EXPECT_TRUE(has(page,
                  "<td>onnx</td><td>2</td><td>equal</td><td>7.25</td><td>8</td><td>138</td>"
                  "<td>125</td><td>-</td><td>-</td><td>&lt;OpenVINO&gt;</td>"
                  "<td>on 4 images</td>"))
      << page;
  folder.write("weights/best.pb.certificate.json", R"({"kind": "export"})");
  EXPECT_THROW(run_report(folder.path()), Error);
}

TEST_F(Report, WithoutResultsThereIsNone) {
  EXPECT_THROW(run_report(folder.path()), Error);
  folder.write("results.csv", "epoch,fitness\n");
  EXPECT_THROW(run_report(folder.path()), Error);
}

}  // namespace
}  // namespace yolov7::monitoring
