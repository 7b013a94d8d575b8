#include "run/records.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "run/run_state.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::run {
namespace {

EpochRecord record() {
  EpochRecord r;
  r.epoch = 7;
  r.train_loss = {0.051234, 0.0123456, 0.00987654321, 0.0734567};
  r.val_loss = {0.1, 0.2, 0.3};
  r.distill_loss = 0.0625;
  r.validated = true;
  r.precision = 1.0 / 3;
  r.recall = 0.5;
  r.official_map50 = 0.806;
  r.official_map = 0.478;
  r.coco_map50 = 0.805647;
  r.coco_map = 0.488575;
  r.fitness = 0.52;
  r.rates = {0.01, 0.01, 0.05};
  r.targets = 43;
  r.image_size = 320;
  return r;
}

// Training 3: fifteen columns of ten characters, right-aligned, four significant digits, no header.
TEST(Records, TextLineHasTheOfficialColumns) {
  const std::string line = results_txt_line(record(), 300);
  ASSERT_EQ(line.size(), 150u);
  EXPECT_EQ(line.substr(0, 10), "     7/299");
  EXPECT_EQ(line.substr(10, 10), "        0G");
  EXPECT_EQ(line.substr(20, 10), "   0.05123");
  EXPECT_EQ(line.substr(60, 20), "        43       320");
  EXPECT_EQ(line.substr(80, 10), "    0.3333");
  EXPECT_EQ(line.substr(100, 20), "     0.806     0.478");
  EXPECT_EQ(line.substr(140, 10), "       0.3");
}

TEST(Records, CsvComesBackExactly) {
  const auto back =
      parse_results_csv(results_csv_header() + "\n" + results_csv_line(record()) + "\n", "x");
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].precision, 1.0 / 3);
  EXPECT_EQ(back[0].train_loss, record().train_loss);
  EXPECT_EQ(back[0].rates, record().rates);
  EXPECT_EQ(back[0].distill_loss, 0.0625);
  EXPECT_TRUE(back[0].validated);
  EXPECT_EQ(back[0].targets, 43);
  EXPECT_THROW(parse_results_csv("epoch\n1\n", "x"), Error);
  EXPECT_THROW(parse_results_csv(results_csv_header() + "\n1,2\n", "x"), Error);
}

// Files of earlier versions have no column of a teacher.
TEST(Records, ReadsFilesWithoutTheLastColumn) {
  const auto cut = [](const std::string& line) { return line.substr(0, line.rfind(',')); };
  const auto back = parse_results_csv(
      cut(results_csv_header()) + "\n" + cut(results_csv_line(record())) + "\n", "x");
  ASSERT_EQ(back.size(), 1u);
  EXPECT_EQ(back[0].rates, record().rates);
  EXPECT_EQ(back[0].distill_loss, 0);
}

TEST(RunState, ComesBackAsItWas) {
  RunState s;
  s.epoch = 3;
  s.batch = 17;
  s.loss_sum = {1.0 / 3, 2, 3, 4};
  s.ema_updates = 99;
  s.best_fitness = 0.1;
  s.best_epoch = 2;
  s.float32_first = true;
  s.distill_sum = 0.7;
  s.teacher_hash = "0123";
  s.options.distill.teacher = "t.pt";
  s.options.distill.method = "output";
  s.loss_scale = 1024;
  s.good_steps = 7;
  s.rollbacks = 1;
  s.skipped_in_epoch = 2;
  s.micro_batch = 5;
  s.epoch_sums = {9.5, 0.25, 128};
  s.last_batch = {43, 320};
  s.records = {record()};
  s.options.data = "a b/data.yaml";
  s.options.epochs = 12;
  s.hyp.lr0 = 0.0321;
  s.hyp.augmentation.mosaic = 0.25;
  const RunState back = run_state(to_text(s), "x");
  EXPECT_EQ(back.batch, 17);
  EXPECT_EQ(back.loss_sum, s.loss_sum);
  EXPECT_TRUE(back.float32_first);
  EXPECT_EQ(back.distill_sum, 0.7);
  EXPECT_EQ(back.teacher_hash, "0123");
  EXPECT_EQ(back.options.distill.teacher, "t.pt");
  EXPECT_EQ(back.options.distill.method, "output");
  EXPECT_EQ(back.loss_scale, 1024);
  EXPECT_EQ(back.good_steps, 7);
  EXPECT_EQ(back.rollbacks, 1);
  EXPECT_EQ(back.skipped_in_epoch, 2);
  EXPECT_EQ(back.micro_batch, 5);
  EXPECT_EQ(back.epoch_sums, s.epoch_sums);
  EXPECT_EQ(back.last_batch, s.last_batch);
  EXPECT_EQ(back.options.data, "a b/data.yaml");
  EXPECT_EQ(back.options.epochs, 12);
  EXPECT_EQ(back.hyp.lr0, 0.0321);
  EXPECT_EQ(back.hyp.augmentation.mosaic, 0.25);
  EXPECT_EQ(back.records.size(), 1u);
  EXPECT_THROW(run_state("", "x"), Error);
  EXPECT_THROW(run_state("{}", "x"), Error);
}

// The run goes on in the folder above weights; a copy elsewhere once meant the last.pt there.
TEST(RunState, IsReadFromTheWeightsOfARunAlone) {
  const test::ScratchFolder scratch;
  const std::filesystem::path last = scratch.write("run/weights/last.pt", ""),
                              copy = scratch.write("run/kept/last.pt", "");
  EXPECT_EQ(find_resume_checkpoint(last.string(), ""), last);
  EXPECT_EQ(find_resume_checkpoint((scratch / "run").string(), ""), last);
  EXPECT_EQ(find_resume_checkpoint("latest", scratch.path().string()), last);
  EXPECT_EQ(
      test::error_of([&] { find_resume_checkpoint(copy.string(), ""); }),
      "resume: expected a checkpoint in the folder weights of its run, where the run goes on, "
      "found " +
          copy.string());
}

TEST(RunState, OnlySomeOptionsChangeOnResume) {
  TrainOptions stored, wanted;
  stored.epochs = 10;
  stored.hyp = "mine.yaml";
  wanted.epochs = 20;
  wanted.workers = 3;
  const TrainOptions merged =
      resumed_options(stored, wanted, {"resume", "epochs", "workers", "json"});
  EXPECT_EQ(merged.epochs, 20);
  EXPECT_EQ(merged.workers, 3);
  EXPECT_EQ(merged.hyp, "mine.yaml");
  EXPECT_THROW(resumed_options(stored, wanted, {"hyp"}), Error);
}

}  // namespace
}  // namespace yolov7::run
