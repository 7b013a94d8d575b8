#include "evaluation/evaluate.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "core/error.hpp"
#include "evaluation/picture_outcome.hpp"
#include "tests/evaluation/fake_detector.hpp"
#include "tests/stopping.hpp"

using namespace yolov7;
using namespace yolov7::evaluation;
using namespace yolov7::evaluation::testing;

namespace {

constexpr int size = 128;

ValidationOptions usual() {
  ValidationOptions options;
  options.image_size = size;
  options.batch_size = 2;
  options.keep_detections = true;
  return options;
}

/// Three pictures of other shapes, four objects; none in the last picture.
struct Usual {
  Usual() {
    split.picture(200, 100);
    split.picture(100, 200);
    split.picture(64, 64);
    objects = {{0, {{20, 30, 80, 90}, 0.9f, 0}},
               {0, {{120, 10, 180, 60}, 0.8f, 1}},
               {1, {{10, 20, 90, 150}, 0.7f, 2}},
               {1, {{30, 150, 80, 199}, 0.6f, 0}}};
    for (const auto& [entry, d] : objects) split.object(entry, d.class_index, d.box);
  }
  FakeDetector perfect(const std::vector<int>& model_class = {0, 1, 2}) const {
    FakeDetector detector(split, 3, size);
    for (const auto& [entry, d] : objects)
      detector.answer(entry, d.box, d.score, model_class[static_cast<std::size_t>(d.class_index)]);
    return detector;
  }
  Split split;
  std::vector<std::pair<std::size_t, Detection>> objects;
};

}  // namespace

TEST(Evaluate, PerfectDetector) {
  const Usual data;
  FakeDetector detector = data.perfect();
  const ValidationResult r = evaluate(detector, data.split.index(), usual());
  EXPECT_NEAR(r.map50(), 1, 1e-12);
  EXPECT_NEAR(r.map(), 1, 1e-12);
  EXPECT_NEAR(r.official.map50, 1, 1e-12);
  EXPECT_NEAR(r.official.map, 1, 1e-12);
  EXPECT_EQ(r.pictures, 3u);
  EXPECT_EQ(r.labels, 4u);
  EXPECT_EQ(r.predictions, 4u);
  EXPECT_EQ(r.highest_score, 0.9f);
  for (int c = 0; c < 3; ++c) EXPECT_EQ(r.confusion.at(c, c), c == 0 ? 2u : 1u);
  EXPECT_EQ(detector.calls, 2);
  ASSERT_EQ(r.detections.size(), 3u);
  const Detection& first = r.detections[0].detections.at(0);
  // Half a float's last place at 128 px, divided by the ratio 0.64.
  EXPECT_NEAR(first.box.x1, 20, 1e-4);
  EXPECT_NEAR(first.box.y2, 90, 1e-4);
  EXPECT_EQ(first.score, 0.9f);
  EXPECT_GE(r.times.total, r.times.inference);
}

// Three processes with the same detector, one after the other: what one would send waits until all
// have sent.
TEST(Evaluate, SeveralPartsGiveTheResultOfOne) {
  Usual data;
  for (int i = 0; i < 4; ++i)
    data.split.picture(90, 80);  // seven pictures: four batches for three parts
  data.split.object(5, 1, {10, 10, 60, 70});
  const auto detector = [&] {
    FakeDetector all = data.perfect();
    all.answer(5, {10, 10, 60, 70}, 0.55f, 1);
    all.answer(6, {10, 10, 60, 70}, 0.5f, 2);  // a false one
    return all;
  };
  FakeDetector whole_detector = detector();
  const ValidationResult whole = evaluate(whole_detector, data.split.index(), usual());
  std::vector<std::string> sent(3);
  for (const bool second_round : {false, true})
    for (int part = 0; part < 3; ++part) {
      ValidationOptions options = usual();
      options.part = part;
      options.parts = 3;
      struct NotYet {};
      options.exchange = [&](const std::string& own) {
        sent[static_cast<std::size_t>(part)] = own;
        if (!second_round) throw NotYet{};
        return sent;
      };
      FakeDetector own = detector();
      if (!second_round) {
        EXPECT_THROW(evaluate(own, data.split.index(), options), NotYet);
        continue;
      }
      const ValidationResult r = evaluate(own, data.split.index(), options);
      EXPECT_EQ(own.calls, part == 0 ? 2 : 1);  // batches 0 and 3, 1, 2
      EXPECT_EQ(r.coco.stats, whole.coco.stats);
      EXPECT_EQ(r.official.map50, whole.official.map50);
      EXPECT_EQ(r.official.ap, whole.official.ap);
      EXPECT_EQ(r.predictions, whole.predictions);
      EXPECT_EQ(r.pictures, 7u);
      EXPECT_EQ(r.highest_score, whole.highest_score);
      for (int a = 0; a <= 3; ++a)
        for (int b = 0; b <= 3; ++b) EXPECT_EQ(r.confusion.at(a, b), whole.confusion.at(a, b));
      for (std::size_t i = 0; i < whole.detections.size(); ++i)
        EXPECT_EQ(r.detections[i].detections.size(), whole.detections[i].detections.size());
    }
}

TEST(PictureOutcome, BytesOfAnotherProcessAreChecked) {
  PictureOutcome one{3, 7, {{{1, 2, 3, 4}, 0.5f, 2}}, {{{5, 6, 7, 8}, 1}}, 0.75f, 9};
  const std::string bytes = to_bytes({one, PictureOutcome{}});
  const std::vector<PictureOutcome> back = outcomes_of(bytes);
  ASSERT_EQ(back.size(), 2u);
  EXPECT_EQ(back[0].batch, 3u);
  EXPECT_EQ(back[0].entry, 7u);
  EXPECT_EQ(back[0].detections.at(0).box.y2, 4);
  EXPECT_EQ(back[0].targets.at(0).class_index, 1);
  EXPECT_EQ(back[0].highest_score, 0.75f);
  EXPECT_EQ(back[0].dropped_not_finite, 9u);
  EXPECT_TRUE(back[1].detections.empty());
  for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
    if (cut == to_bytes({one}).size()) continue;  // a whole outcome
    EXPECT_THROW(outcomes_of(std::string_view(bytes).substr(0, cut)), Error) << cut;
  }
}

// 1.3 step 6 truncates the size per axis; 1.5 divides by the height's ratio on both, for targets
// too. At x = 190 that is 1 px to the right; if the target did not move with it, a box of 8 px
// would miss the high thresholds.
TEST(Evaluate, TargetsAreMappedLikePredictions) {
  Split split({"a"});
  split.picture(200, 99);  // 128 × 63.36, cut to 63: ratios 0.64 and 0.6364
  split.object(0, 0, {185, 40, 193, 48});
  FakeDetector detector(split, 1, size);
  detector.answer(0, {185, 40, 193, 48}, std::vector<float>{1.0f});
  const ValidationResult r = evaluate(detector, split.index(), usual());
  EXPECT_NEAR(r.official.map, 1, 1e-12);
  EXPECT_NEAR(r.detections[0].detections.at(0).box.x1, 185 * 0.64 / (63.0 / 99), 1e-3);
  EXPECT_LT(r.map(), 1);  // COCO compares with the labels themselves
}

TEST(Evaluate, BoxesAreClamped) {
  Split split({"a"});
  split.picture(200, 100);
  FakeDetector detector(split, 1, size);
  detector.answer(0, {-30, -10, 260, 120}, std::vector<float>{1.0f});
  const ValidationResult r = evaluate(detector, split.index(), usual());
  EXPECT_EQ(r.detections[0].detections.at(0).box, (Xyxy{0, 0, 200, 100}));
}

// Multi-label: one row gives a detection for every class above the threshold.
TEST(Evaluate, RowsMayHaveSeveralClasses) {
  Split split;
  split.picture(100, 100);
  FakeDetector detector(split, 3, size);
  detector.answer(0, {10, 10, 50, 50}, std::vector<float>{0.3f, 0.0009f, 0.5f});
  const ValidationResult r = evaluate(detector, split.index(), usual());
  ASSERT_EQ(r.detections[0].detections.size(), 2u);
  EXPECT_EQ(r.detections[0].detections[0].class_index, 2);
  EXPECT_EQ(r.detections[0].detections[1].class_index, 0);
}

TEST(Evaluate, ClassesInAnotherOrder) {
  const Usual data;
  FakeDetector detector = data.perfect({2, 0, 1});  // data class 0 is the model's 2, …
  ValidationOptions options = usual();
  EXPECT_LT(evaluate(detector, data.split.index(), options).map50(), 0.1);
  options.data_class = {1, 2, 0};  // by model class
  EXPECT_NEAR(evaluate(detector, data.split.index(), options).map(), 1, 1e-12);
  options.data_class = {1, 2, 1};
  EXPECT_THROW(evaluate(detector, data.split.index(), options), Error);
}

// A wrong class at the right place is right, and the same box under two classes is one detection.
TEST(Evaluate, SingleClass) {
  const Usual data;
  FakeDetector detector(data.split, 3, size);
  for (const auto& [entry, d] : data.objects) {
    detector.answer(entry, d.box, std::vector<float>{0.0f, 0.3f, 0.5f});
    detector.answer(entry, d.box, 0.4f, 0);
  }
  ValidationOptions options = usual();
  options.single_cls = true;
  const ValidationResult r = evaluate(detector, data.split.index(), options);
  EXPECT_NEAR(r.map(), 1, 1e-12);
  EXPECT_NEAR(r.official.map, 1, 1e-12);
  EXPECT_EQ(r.predictions, 4u);
  EXPECT_EQ(r.confusion.class_count(), 1);
  EXPECT_EQ(r.confusion.at(0, 0), 4u);
}

// The ground truth enters with confidence 1 under the model's class number and suppresses what
// overlaps it.
TEST(Evaluate, HybridLabels) {
  const Usual data;
  FakeDetector detector(data.split, 3, size);
  detector.answer(0, {22, 30, 82, 90}, 0.9f,
                  2);  // overlaps object 0, whose data class 0 is the model's 2
  detector.answer(0, {150, 70, 190, 95}, 0.4f, 1);
  ValidationOptions options = usual();
  options.save_hybrid = true;
  options.data_class = {1, 2, 0};
  const ValidationResult r = evaluate(detector, data.split.index(), options);
  ASSERT_EQ(r.detections[0].detections.size(), 3u);  // two objects and the prediction elsewhere
  EXPECT_EQ(r.detections[0].detections[0].score, 1.0f);
  EXPECT_EQ(r.detections[0].detections[2].score, 0.4f);
  EXPECT_NEAR(r.map(), 1, 1e-9);
}

TEST(Evaluate, NothingFound) {
  const Usual data;
  FakeDetector detector(data.split, 3, size);
  detector.answer(0, {20, 30, 80, 90}, 0.0008f, 0);
  const ValidationResult r = evaluate(detector, data.split.index(), usual());
  EXPECT_EQ(r.predictions, 0u);
  EXPECT_EQ(r.highest_score, 0.0008f);
  EXPECT_EQ(r.map(), 0);
  EXPECT_EQ(r.official.map, 0);
  EXPECT_EQ(r.confusion.at(3, 0), 2u);
}

TEST(Evaluate, RowsThatAreNotFiniteAreCounted) {
  const Usual data;
  FakeDetector detector = data.perfect();
  detector.answer(0, {20, 30, std::numeric_limits<double>::quiet_NaN(), 90}, 0.95f, 0);
  detector.answer(1, {20, 30, 80, 90}, std::numeric_limits<float>::infinity(), 0);
  const ValidationResult r = evaluate(detector, data.split.index(), usual());
  EXPECT_EQ(r.dropped_not_finite, 2u);
  EXPECT_EQ(r.pictures_not_finite, 2u);
  EXPECT_NEAR(r.map(), 1, 1e-12);
}

TEST(Evaluate, APictureWithoutAFiniteRowIsAnErrorThatNamesIt) {
  const Usual data;
  FakeDetector detector(data.split, 3, size);
  for (std::size_t entry = 0; entry < 3; ++entry)
    detector.answer(entry, {20, 30, 50, 60},
                    entry == 1 ? std::numeric_limits<float>::quiet_NaN() : 0.5f, 0);
  try {
    evaluate(detector, data.split.index(), usual());
    FAIL() << "expected an error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what())
                  .find("p1.png: expected finite numbers from the network, found NaN or infinity "
                        "in all 1 rows of its prediction (fake)"),
              std::string::npos)
        << error.what();
  }
}

TEST(Evaluate, ObserverSeesEveryBatch) {
  const Usual data;
  FakeDetector detector = data.perfect();
  std::size_t pictures = 0, targets = 0;
  evaluate(detector, data.split.index(), usual(),
           [&](const dataset::Batch& batch, const runtime::Prediction& prediction) {
             EXPECT_EQ(prediction.count, batch.count);
             EXPECT_EQ(prediction.decoded.size(),
                       static_cast<std::size_t>(batch.count) * prediction.rows * 8);
             pictures += static_cast<std::size_t>(batch.count);
             targets += batch.targets.size();
           });
  EXPECT_EQ(pictures, 3u);
  EXPECT_EQ(targets, 4u);
}

TEST(Evaluate, BatchesAndWorkersChangeNothing) {
  const Usual data;
  FakeDetector detector = data.perfect();
  detector.answer(1, {0, 0, 60, 70}, 0.75f, 1);
  ValidationOptions options = usual();
  options.workers = 0;
  const ValidationResult a = evaluate(detector, data.split.index(), options);
  options.workers = 4;
  const ValidationResult b = evaluate(detector, data.split.index(), options);
  EXPECT_EQ(a.coco.stats, b.coco.stats);
  EXPECT_EQ(a.official.ap, b.official.ap);
  EXPECT_LT(a.map(), 1);
}

TEST(Evaluate, GroundTruthFromElsewhere) {
  const Usual data;
  FakeDetector detector = data.perfect();
  ValidationOptions options = usual();
  options.ground_truth = ground_truth_of(data.split.index());
  options.ground_truth->annotations[0].crowd = true;
  options.ground_truth->annotations[2].box = {500, 500, 10, 10};
  const ValidationResult r = evaluate(detector, data.split.index(), options);
  EXPECT_NEAR(r.map(), 2.0 / 3, 1e-12);   // class 2 is elsewhere now
  EXPECT_NEAR(r.official.map, 1, 1e-12);  // by the labels
}

TEST(Evaluate, SheetsOfTheFirstBatches) {
  const Usual data;
  FakeDetector detector = data.perfect();
  ValidationOptions options = usual();
  options.pictures = 1;
  const ValidationResult r = evaluate(detector, data.split.index(), options);
  ASSERT_EQ(r.label_sheets.size(), 1u);
  ASSERT_EQ(r.prediction_sheets.size(), 1u);
  EXPECT_FALSE(r.label_sheets[0].empty());
}

TEST(Evaluate, Refusals) {
  const Usual data;
  FakeDetector two(data.split, 2, size);
  EXPECT_EQ(test::error_of([&] { evaluate(two, data.split.index(), usual()); }),
            "the model has 2 classes, the data has 3");
  const Split empty;
  FakeDetector three(empty, 3, size);
  EXPECT_EQ(test::error_of([&] { evaluate(three, empty.index(), usual()); }),
            "the val split has no image");
}

TEST(Evaluate, EndsBetweenTwoBatchesWhereItIsStopped) {
  const Usual data;  // three pictures, two batches
  FakeDetector detector = data.perfect();
  std::stop_source stop;
  ValidationOptions options = usual();
  options.stop = stop.get_token();
  EXPECT_TRUE(test::is_stopped([&] {
    evaluate(detector, data.split.index(), options,
             [&](const dataset::Batch&, const runtime::Prediction&) { stop.request_stop(); });
  }));
  EXPECT_EQ(detector.calls, 1);
  EXPECT_TRUE(test::is_stopped([&] { evaluate(detector, data.split.index(), options); }));
  EXPECT_EQ(detector.calls, 1);
}
