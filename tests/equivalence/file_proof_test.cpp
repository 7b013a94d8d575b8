// A file beside its parent, both played by scripted detectors.
#include "equivalence/file_proof.hpp"

#include <gtest/gtest.h>

#include "tests/runtime/scripted_detector.hpp"
#include "tests/stopping.hpp"

namespace yolov7::equivalence {
namespace {

using testing::ScriptedDetector;

/// Two objects of two classes, far from each other: centre, size, objectness, classes.
ScriptedDetector two_objects() {
  ScriptedDetector detector;
  detector.rows = {{20, 20, 10, 10, 0.9F, 0.8F, 0.1F}, {60, 60, 20, 10, 0.8F, 0.1F, 0.9F}};
  return detector;
}

FileProof proof_of(ScriptedDetector& file, FilePrecision precision = FilePrecision::float32) {
  ScriptedDetector parent = two_objects();
  FileComparison comparison;
  comparison.precision = precision;
  comparison.limits = file_limits(precision);
  const auto pictures = noise_pictures(2, 32, 32);
  return prove_file(known_outputs(parent, pictures), file, pictures, comparison);
}

}  // namespace

TEST(FileProof, TheSameDetectorIsEqual) {
  ScriptedDetector file = two_objects();
  const FileProof proof = proof_of(file);
  EXPECT_EQ(proof.breach, "");
  EXPECT_EQ(proof.pictures, 2U);
  EXPECT_EQ(proof.rows, 4U);
  EXPECT_EQ(proof.largest_box, 0);
  EXPECT_EQ(proof.detections.parent, 4U);
  EXPECT_EQ(proof.detections.matched, 4U);
  EXPECT_EQ(proof.detections.lost + proof.detections.added + proof.detections.moved, 0U);
  EXPECT_EQ(verdict(proof, FilePrecision::float32), "equal");
}

// float32: 0.01 px and 0.0001. float16: 1 px above a score of 0.25, and 0.01.
TEST(FileProof, BoundsOfEachPrecision) {
  const struct {
    std::size_t column;
    float change;
    bool float32, float16;
  } cases[] = {{0, 0.009F, true, true},   {0, 0.011F, false, true},   {0, 1.1F, false, false},
               {2, 0.5F, false, true},    {4, 0.00009F, true, true},  {4, 0.0002F, false, true},
               {4, 0.011F, false, false}, {5, -0.0002F, false, true}, {5, -0.02F, false, false}};
  for (const auto& one : cases)
    for (const FilePrecision precision : {FilePrecision::float32, FilePrecision::float16}) {
      ScriptedDetector file = two_objects();
      file.rows[0][one.column] += one.change;
      EXPECT_EQ(proof_of(file, precision).breach.empty(),
                precision == FilePrecision::float32 ? one.float32 : one.float16)
          << one.column << ' ' << one.change << ' ' << name(precision);
    }
}

TEST(FileProof, NumbersThatAreNoneAreABreach) {
  ScriptedDetector file = two_objects();
  file.rows[1][0] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_NE(proof_of(file).breach, "");
  EXPECT_NE(proof_of(file, FilePrecision::float16).breach, "");
}

TEST(FileProof, DetectionsThatChangeAreCounted) {
  ScriptedDetector file = two_objects();
  file.rows[0][0] += 2;  // IoU 8 / 12: the same object, moved
  FileProof proof = proof_of(file, FilePrecision::int8);
  EXPECT_EQ(proof.breach, "") << "int8 is bounded by its accuracy";
  // Without limits each pair is within them.
  EXPECT_EQ(proof.detections.matched, 4U);
  proof = proof_of(file);
  EXPECT_EQ(proof.detections.moved, 1U) << "of the first image, which ends it";
  EXPECT_EQ(proof.detections.matched, 1U);
  file = two_objects();
  file.rows[0][0] += 8;  // IoU 2 / 18: another object
  proof = proof_of(file);
  EXPECT_EQ(proof.detections.lost, 1U);
  EXPECT_EQ(proof.detections.added, 1U);
  EXPECT_EQ(proof.breach_picture, 0U);
}

TEST(FileProof, OtherShapesAreABreach) {
  ScriptedDetector file = two_objects();
  file.rows.pop_back();
  EXPECT_EQ(proof_of(file).breach, "expected 2 rows of 7 values, found 1 of 7");
  file.classes = 3;
  EXPECT_EQ(proof_of(file).breach, "expected 2 classes, found 3");
}

TEST(FileProof, EightBitsWithoutLabelsAreNotMeasured) {
  ScriptedDetector file = two_objects();
  FileProof proof = proof_of(file, FilePrecision::int8);
  EXPECT_EQ(verdict(proof, FilePrecision::int8), "accuracy not measured");
  proof.accuracy = Accuracy{};
  EXPECT_EQ(verdict(proof, FilePrecision::int8), "within the accuracy budget");
}

TEST(FileProof, TheBudgetIsWhatAFileMayLose) {
  Accuracy accuracy;
  accuracy.data = "data.yaml", accuracy.images = 7, accuracy.budget = 0.003;
  accuracy.parent_map = 0.5;
  accuracy.file_map = 0.4971;
  EXPECT_EQ(accuracy_breach(accuracy), "");
  accuracy.file_map = 0.6;
  EXPECT_EQ(accuracy_breach(accuracy), "") << "a gain is none";
  accuracy.file_map = 0.4969;
  EXPECT_EQ(accuracy_breach(accuracy),
            "mAP on 7 images of data.yaml is 0.4969, the weights' is 0.5000; expected to lose at "
            "most 0.003");
}

namespace {

/// Boxes that tell the image: the first centre is 20 + its first byte. May give the rows of the
/// first and the last image of a call for each other, and others for all behind the first.
class ByPixel : public ScriptedDetector {
 public:
  bool exchanged = false, first_alone = false;
  ByPixel() { rows = two_objects().rows; }
  void predict(const runtime::PixelBatch& batch, runtime::Prediction& prediction) override {
    ScriptedDetector::predict(batch, prediction);
    const std::size_t image = 3 * 32 * 32, values = 2 * 7;
    for (int i = 0; i < batch.count; ++i) {
      const int from = !exchanged ? i : i == 0 ? batch.count - 1 : i == batch.count - 1 ? 0 : i;
      const auto byte = batch.pixels[static_cast<std::size_t>(from) * image];
      float& centre = prediction.decoded[static_cast<std::size_t>(i) * values];
      centre = 20 + static_cast<float>(byte) + (first_alone && i > 0 ? 5.0F : 0.0F);
    }
  }
};

std::vector<ProofPicture> flat_pictures(int count) {
  std::vector<ProofPicture> pictures;
  for (int i = 0; i < count; ++i)
    pictures.push_back(
        {"flat", 32, 32,
         std::vector<std::uint8_t>(std::size_t{3} * 32 * 32, static_cast<std::uint8_t>(i + 1))});
  return pictures;
}

FileProof proof_of_slots(ByPixel& file, int slots, int count) {
  ByPixel parent;
  FileComparison comparison;
  comparison.slots = slots;
  const auto pictures = flat_pictures(count);
  return prove_file(known_outputs(parent, pictures), file, pictures, comparison);
}

/// The first byte of each image of a call.
std::vector<int> shown(const ScriptedDetector::Call& call) {
  std::vector<int> bytes;
  for (std::size_t at = 0; at < call.pixels.size(); at += std::size_t{3} * 32 * 32)
    bytes.push_back(call.pixels[at]);
  return bytes;
}

}  // namespace

// Four images in four places: a turn further with each call.
TEST(FileProof, EveryImageOfACallIsCompared) {
  ByPixel file;
  FileProof proof = proof_of_slots(file, 4, 4);
  EXPECT_EQ(proof.breach, "");
  EXPECT_EQ(proof.slots, 4);
  EXPECT_EQ(proof.pictures, 4U);
  EXPECT_EQ(proof.rows, 8U) << "of each image once";
  EXPECT_EQ(proof.detections.parent, 8U);
  ASSERT_EQ(file.calls.size(), 4U);
  EXPECT_EQ(shown(file.calls[0]), (std::vector<int>{1, 2, 3, 4}));
  EXPECT_EQ(shown(file.calls[1]), (std::vector<int>{2, 3, 4, 1}));
  file.first_alone = true;
  proof = proof_of_slots(file, 4, 4);
  EXPECT_EQ(proof.breach,
            "image 2 of the 4 of a call: boxes differ by 5 px, expected at most 0.01");
  EXPECT_EQ(proof.breach_picture, 1U);
}

// Two images in three places: 1 2 1 hides that the outer ones are exchanged, 2 2 1 does not.
TEST(FileProof, ImagesOfACallThatAreExchangedAreABreach) {
  ByPixel file;
  EXPECT_EQ(proof_of_slots(file, 3, 2).breach, "");
  ASSERT_EQ(file.calls.size(), 2U);
  EXPECT_EQ(shown(file.calls[0]), (std::vector<int>{1, 2, 1}));
  EXPECT_EQ(shown(file.calls[1]), (std::vector<int>{2, 2, 1}));
  file.exchanged = true;
  const FileProof proof = proof_of_slots(file, 3, 2);
  EXPECT_EQ(proof.breach,
            "image 1 of the 3 of a call: boxes differ by 1 px, expected at most 0.01");
  EXPECT_EQ(proof.breach_picture, 1U);
}

// A file that suppresses: its rows are detections, compared in each place.
TEST(FileProof, DetectionsOfEveryImageOfACallAreCompared) {
  class Suppressing : public ByPixel {
   public:
    void predict(const runtime::PixelBatch& batch, runtime::Prediction& prediction) override {
      ByPixel::predict(batch, prediction);
      prediction.suppressed = true;
      for (std::size_t i = 0; i < prediction.decoded.size(); i += 7) {
        float* row = prediction.decoded.data() + i;
        const bool second = row[6] > row[5];
        row[4] *= second ? row[6] : row[5];
        row[5] = second ? 0.0F : 1.0F, row[6] = second ? 1.0F : 0.0F;
      }
    }
  };
  Suppressing file;
  EXPECT_EQ(proof_of_slots(file, 2, 2).breach, "");
  file.first_alone = true;
  EXPECT_EQ(proof_of_slots(file, 2, 2).breach,
            "image 2 of the 2 of a call: a detection of class 0 with score 0.7200 is not in the "
            "file's");
}

TEST(FileProof, StopsBetweenImages) {
  ScriptedDetector parent = two_objects(), file = two_objects();
  const auto pictures = noise_pictures(1, 32, 32);
  FileComparison comparison;
  comparison.stop = test::stopped();
  const KnownOutputs known = known_outputs(parent, pictures);
  EXPECT_TRUE(test::is_stopped([&] { prove_file(known, file, pictures, comparison); }));
  EXPECT_TRUE(file.calls.empty());
}

}  // namespace yolov7::equivalence
