// A training with marked labels (training 23, 24).
#include "training/marks.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "core/file.hpp"
#include "tests/kept_messages.hpp"
#include "tests/training/tiny_run.hpp"
#include "training/checkpoints.hpp"
#include "training/step.hpp"
#include "training/trainer.hpp"

namespace yolov7::training {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(const TinyRun& tiny) {
  return fs::path(tiny.request.options.data).parent_path();
}

/// The label of image `i` comes from a network that was so sure.
std::string machine_line(const TinyRun& tiny, int i, double score) {
  std::string label = file::read(folder_of(tiny) / fmt::format("labels/train/{}.txt", i));
  label.pop_back();
  return fmt::format(
      "{{\"image\":\"images/train/{}.png\",\"row\":0,\"label\":\"{}\",\"score\":{},\"attributes\":"
      "{{\"origin\":\"machine\"}}}}\n",
      i, label, score);
}

std::string region_line(int i) {
  return fmt::format(
      "{{\"image\":\"images/train/{}.png\",\"box\":[0,0,0.5,0.5],\"class\":0,\"ignore\":true,"
      "\"score\":0.3,\"attributes\":{{\"origin\":\"machine\"}}}}\n",
      i);
}

std::string drawn_line(int i) {
  return fmt::format("{{\"image\":\"images/train/{}.png\",\"tags\":{{\"origin\":\"drawn\"}}}}\n",
                     i);
}

void mark(const TinyRun& tiny, const std::string& lines) {
  file::write_atomically(folder_of(tiny) / "annotations.extra.jsonl", lines);
}

/// Weights of the whole network after training.
std::vector<at::Tensor> trained(TinyRun& tiny) {
  PreparedRun& run = tiny.prepared();
  Trainer(run).run();
  std::vector<at::Tensor> tensors;
  for (const nn::TorchNetwork::Entry& entry : run.model.network->entries())
    tensors.push_back(entry.tensor.detach().clone());
  return tensors;
}

bool equal(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!at::equal(a[i], b[i])) return false;
  return a.size() == b.size();
}

TEST(Marks, ByDefaultMachineLabelsWeighAsPeoples) {
  TinyRun plain, marked, weighted;
  for (TinyRun* one : {&marked, &weighted})
    mark(*one, machine_line(*one, 0, 0.5) + machine_line(*one, 2, 0.75));
  weighted.request.options.semi.machine_weight = "confidence";
  const auto expected = trained(plain);
  EXPECT_TRUE(equal(trained(marked), expected));
  EXPECT_FALSE(marked.prepared().data.marks.weights);
  EXPECT_EQ(marked.prepared().state.marks_hash, "");
  EXPECT_FALSE(equal(trained(weighted), expected));
  const auto& weights = *weighted.prepared().data.marks.weights;
  ASSERT_EQ(weights.size(), 4u);
  EXPECT_EQ(weights[0].weights, std::vector<float>{0.5f});
  EXPECT_TRUE(weights[1].weights.empty());
  EXPECT_EQ(weights[2].weights, std::vector<float>{0.75f});
}

TEST(Marks, CertainLabelsAreAsPeoplesToTheBit) {
  TinyRun plain, certain;
  mark(certain, machine_line(certain, 0, 1) + machine_line(certain, 1, 1));
  certain.request.options.semi.machine_weight = "confidence";
  EXPECT_TRUE(equal(trained(plain), trained(certain)));
}

TEST(Marks, ThatCountAreSaid) {
  test::KeptMessages kept;
  TinyRun tiny;
  mark(tiny, machine_line(tiny, 0, 0.5) + machine_line(tiny, 2, 0.75) + region_line(0) +
                 region_line(1) + drawn_line(3));
  tiny.request.options.semi.machine_weight = "confidence";
  tiny.prepared();
  const std::string said = kept.text();
  EXPECT_NE(
      said.find("marks: 2 labels of a network, mean weight 0.625 (machine-weight confidence); 2 "
                "ignored regions (ignore-regions machine); in 3 images"),
      std::string::npos)
      << said;
  EXPECT_NE(said.find("1 of 4 training images are drawn; they come as they are"), std::string::npos)
      << said;
}

// Images 0 to 3 of the tiny run, all drawn ones in every batch of one: share 1 leaves the others
// out.
TEST(Marks, AShareOfDrawnImages) {
  TinyRun tiny;
  mark(tiny, drawn_line(1) + drawn_line(2));
  tiny.request.options.semi.synthetic_share = 0.5;
  PreparedRun& run = tiny.prepared();
  std::vector<int> used(4, 0);
  for (int epoch = 0; epoch < 2; ++epoch) {
    run.data.loader->start(epoch);
    std::size_t place = 0;
    while (const auto batch = run.data.loader->next()) {
      const std::size_t entry = batch->origins[0].entry;
      ++used[entry];
      EXPECT_EQ(entry == 1 || entry == 2, place++ % 2 == 1);
    }
  }
  EXPECT_EQ(used, (std::vector<int>{2, 2, 2, 2}));
  TinyRun none;
  none.request.options.semi.synthetic_share = 0.5;
  const std::string message = test::error_of([&] { none.prepared(); });
  EXPECT_NE(message.find("synthetic-share 0.5: expected images with the tag origin: drawn (dataset "
                         "synth --from), and others"),
            std::string::npos)
      << message;
  EXPECT_NE(message.find("found 0 of 4"), std::string::npos) << message;
}

TEST(Marks, OthersThanBeforeAreRefusedOnResume) {
  TinyRun tiny;
  mark(tiny, machine_line(tiny, 0, 0.5));
  tiny.request.options.semi.machine_weight = "confidence";
  {
    PreparedRun& run = tiny.prepared();
    write_last(run.context, run.data, run.model, run.state);
  }
  tiny.release();
  TrainRequest again;
  again.options.resume = (tiny.weights() / "last.pt").string();
  const auto group = Communicator::alone();
  prepare(again, *group);
  mark(tiny, machine_line(tiny, 0, 0.25));
  const std::string message = test::error_of([&] { prepare(again, *group); });
  EXPECT_NE(message.find("the marks of its train split (origin, score, ignored regions) are not "
                         "those this run began with"),
            std::string::npos)
      << message;
}

// A region over the upper left quarter of every picture: no prediction there learns anything.
TEST(Marks, RegionsReachTheLoss) {
  TinyRun plain, marked;
  mark(marked, region_line(0) + region_line(1) + region_line(2) + region_line(3));
  PreparedRun &a = plain.prepared(), &b = marked.prepared();
  a.data.loader->start(0);
  b.data.loader->start(0);
  const dataset::Batch one = *a.data.loader->next(), two = *b.data.loader->next();
  EXPECT_TRUE(one.pixels == two.pixels);
  EXPECT_TRUE(one.marks.empty());
  EXPECT_FALSE(two.marks.ignored.empty());
  Step first(a.context, a.data, a.model, *a.schedule, a.state, 0),
      second(b.context, b.data, b.model, *b.schedule, b.state, 0);
  EXPECT_GT(first.run(one, 3).losses[1], second.run(two, 3).losses[1]);
}

}  // namespace
}  // namespace yolov7::training
