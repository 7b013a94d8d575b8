// Trainings with a teacher: what goes together, that weight 0 is plain training, that a run is
// continued to the bit, and that every way back (memory, values that are not finite) knows the
// adapters.
#include "training/distillation/distillation.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>

#include "core/error.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "network/config/builder.hpp"
#include "network/graph/links.hpp"
#include "nn/initial_values.hpp"
#include "tests/scratch_folder.hpp"
#include "tests/training/tiny_run.hpp"
#include "training/checkpoints.hpp"
#include "training/distillation/teacher.hpp"
#include "training/memory_shapes.hpp"
#include "training/rollback.hpp"
#include "training/teacher_choice.hpp"
#include "training/trainer.hpp"

namespace yolov7::training {
namespace {

/// As the students of TinyRun, but for the width before the head and the anchors.
std::string teacher_config(int width, const std::string& head = "Detect") {
  std::string text = tiny_config;
  text.replace(text.rfind("[8, 3, 2]"), 9, "[" + std::to_string(width) + ", 3, 2]");
  text.replace(text.find("16,16, 32,32"), 12, "12,20, 40,28");
  text.replace(text.find("Detect"), 6, head);
  return text;
}

/// A teacher of random weights.
std::string write_teacher(const test::ScratchFolder& scratch, const std::string& name, int width,
                          std::uint64_t seed, std::vector<std::string> names = {"b", "a"}) {
  network::Checkpoint checkpoint;
  checkpoint.config = teacher_config(width, "IDetect");
  checkpoint.config_source = "teacher.yaml";
  checkpoint.names = std::move(names);
  checkpoint.class_count = static_cast<int>(checkpoint.names.size());
  nn::TorchNetwork network(checkpoint.build_network());
  nn::initialize(network, seed);
  checkpoint.ema = network.store();
  network::write_checkpoint(scratch / name, checkpoint);
  return (scratch / name).string();
}

class Distilled : public testing::Test {
 protected:
  void SetUp() override { teacher = write_teacher(scratch, "teacher.pt", 16, 5); }

  void with_teacher(TinyRun& tiny, const std::string& method = "channel") const {
    tiny.request.options.distill.teacher = teacher;
    tiny.request.options.distill.method = method;
    tiny.request.options.distill.off = 0;
  }

  test::ScratchFolder scratch;
  std::string teacher;
};

void expect_same(const network::Weights& a, const network::Weights& b) {
  for (const auto& [name, tensor] : a.entries()) {
    ASSERT_NE(b.find(name), nullptr) << name;
    EXPECT_EQ(tensor.bytes, b.at(name).bytes) << name;
  }
}

network::Checkpoint trained(TinyRun& tiny) {
  Trainer(tiny.prepared()).run();
  return network::read_checkpoint(tiny.weights() / "last.pt");
}

TEST_F(Distilled, WeightZeroIsPlainTrainingToTheBit) {
  TinyRun plain, zero;
  with_teacher(zero);
  zero.request.options.distill.weight = 0;
  const network::Checkpoint a = trained(plain), b = trained(zero);
  EXPECT_EQ(zero.prepared().model.distillation, nullptr);
  EXPECT_FALSE(zero.prepared().state.teacher_hash.empty()) << "it was opened all the same";
  EXPECT_EQ(a.model.size(), b.model.size());
  expect_same(a.model, b.model);
  expect_same(a.ema, b.ema);
  expect_same(a.optimizer, b.optimizer);
  EXPECT_EQ(plain.prepared().state.records.back().train_loss,
            zero.prepared().state.records.back().train_loss);
}

TEST_F(Distilled, WithoutTheTeacherInItsEpochsItIsPlainTrainingToo) {
  TinyRun plain, off;
  with_teacher(off);
  off.request.options.distill.off = 2;
  const network::Checkpoint a = trained(plain), b = trained(off);
  expect_same(a.model, b.model);
  expect_same(a.ema, b.ema);
}

TEST_F(Distilled, EveryMethodTrainsAndIsLogged) {
  TinyRun plain;
  const network::Checkpoint without = trained(plain);
  for (const char* method : {"channel", "output", "logit", "feature"}) {
    TinyRun tiny;
    with_teacher(tiny, method);
    const network::Checkpoint with = trained(tiny);
    const run::EpochRecord& record = tiny.prepared().state.records.back();
    EXPECT_GT(record.distill_loss, 0) << method;
    const auto& loss = record.train_loss;
    EXPECT_NEAR(loss[3], loss[0] + loss[1] + loss[2] + record.distill_loss, 1e-5) << method;
    EXPECT_NE(with.model.at("model.0.conv.weight").bytes,
              without.model.at("model.0.conv.weight").bytes)
        << method;
    // Features of 8 and 16 channels need an adapter, outputs none.
    const bool features = std::string(method) == "channel" || std::string(method) == "feature";
    EXPECT_EQ(with.model.find("distill.adapter.8.weight") != nullptr, features) << method;
    EXPECT_EQ(with.optimizer.find("distill.adapter.8.weight") != nullptr, features) << method;
    EXPECT_EQ(with.ema.find("distill.adapter.8.weight"), nullptr);
  }
}

// After the first of two epochs the run goes on in another process: everything as if it had not
// been stopped.
TEST_F(Distilled, AResumedRunIsTheSameToTheBit) {
  TinyRun whole, cut;
  with_teacher(whole);
  with_teacher(cut);
  const network::Checkpoint wanted = trained(whole);
  cut.request.options.stop_after = 1;
  trained(cut);
  const std::string moved = (scratch / "elsewhere.pt").string();
  std::filesystem::copy_file(teacher, moved);
  TrainRequest again;
  again.options.resume = cut.weights().parent_path().string();
  again.options.distill.teacher = moved;
  again.given = {"resume", "teacher"};
  {
    cut.release();
    const auto group = Communicator::alone();
    const auto run = prepare(again, *group);
    Trainer(*run).run();
  }
  const network::Checkpoint found = network::read_checkpoint(cut.weights() / "last.pt");
  expect_same(wanted.model, found.model);
  expect_same(wanted.ema, found.ema);
  expect_same(wanted.optimizer, found.optimizer);
  ASSERT_NE(found.model.find("distill.adapter.8.weight"), nullptr);

  again.options.distill.teacher = write_teacher(scratch, "other.pt", 16, 6);
  again.options.epochs = 3;
  again.given.push_back("epochs");
  const auto group = Communicator::alone();
  const std::string message = test::error_of([&] { prepare(again, *group); });
  EXPECT_NE(message.find("other.pt: expected the teacher that this run began with"),
            std::string::npos)
      << message;
}

// Loss of one pass: the detection loss and λ and the gain times the term by the formulas, times the
// pictures.
TEST_F(Distilled, TheLossIsTheSum) {
  TinyRun tiny;
  with_teacher(tiny);
  tiny.request.options.distill.weight = 2.5;
  PreparedRun& run = tiny.prepared();
  run.data.loader->start(0);
  const dataset::Batch batch = *run.data.loader->next();
  const at::Tensor images = nn::image_tensor(batch.pixels, batch.count, batch.height, batch.width);
  run.model.network->train(true);
  nn::TorchNetwork twin(run.model.network->description());
  twin.load(run.model.network->store());
  twin.train(true);
  const int value = network::head_inputs(twin.description()).front();
  const nn::TorchNetwork::Outputs own = twin.forward(images, std::vector<int>{value});
  const LossValue hard = (*run.model.loss)(own.maps, batch.targets);
  Teacher other(teacher, at::kCPU);
  const at::Tensor adapted =
      at::conv2d(own.values[0], run.model.distillation->adapters()[0].weight);
  const at::Tensor term = 2.5 * 0.1 * channel_loss(adapted, other(images, at::kFloat).values[0], 1);

  const LossValue all = loss_of(*run.model.network, *run.model.loss, run.model.distillation.get(),
                                images, batch.targets);
  EXPECT_NEAR(all.distilled.item<double>(), term.item<double>(), 1e-6);
  EXPECT_NEAR(all.parts[3].item<double>(), hard.parts[3].item<double>() + term.item<double>(),
              1e-6);
  EXPECT_NEAR(all.total.item<double>(),
              (hard.parts[3].item<double>() + term.item<double>()) * batch.count, 1e-5);
  // Gradients reach the student and the adapter, and not the teacher.
  all.total.backward();
  EXPECT_TRUE(run.model.distillation->adapters()[0].weight.grad().defined());
  EXPECT_TRUE(run.model.network->tensor("model.0.conv.weight").grad().defined());
  const auto& parameters = run.model.distillation->teacher().folded().entries();
  EXPECT_FALSE(parameters.empty());
  for (const nn::TorchNetwork::Entry& one : parameters) {
    EXPECT_FALSE(one.tensor.requires_grad()) << one.spec.name;
    EXPECT_FALSE(one.tensor.grad().defined()) << one.spec.name;
  }
}

// Logits 0, 1 and 2 where the teacher is sure of background: log(1 + e^z) each, the second left
// out.
TEST(LeftOutCells, AreNoPartOfTheObjectness) {
  const std::vector<std::array<float, 2>> anchors{{2, 2}};
  at::Tensor student = at::zeros({1, 1, 1, 3, 6}, at::kDouble), teacher = student.clone();
  student.select(-1, 4).copy_(at::arange(3, at::kDouble).view({1, 1, 1, 3}));
  teacher.select(-1, 4).fill_(-40);
  student.requires_grad_(true);
  const std::vector<Positive> second{Positive{0, 0, 0, 1, 0}};  // column 1
  const at::Tensor left_out = cell_mask(second, student);
  EXPECT_FALSE(left_out.requires_grad());
  EXPECT_TRUE(at::equal(left_out.flatten(), at::tensor({0., 1., 0.}, at::kDouble)));
  const at::Tensor objectness =
      output_terms(student, teacher, {}, anchors, anchors, left_out).objectness;
  EXPECT_NEAR(objectness.item<double>(), (std::log(2.) + std::log(1 + std::exp(2.))) / 2, 1e-12);
  objectness.backward();
  const at::Tensor gradient = student.grad().select(-1, 4).flatten();
  EXPECT_NEAR(gradient[0].item<double>(), .5 / 2, 1e-12);
  EXPECT_EQ(gradient[1].item<double>(), 0);
  EXPECT_NEAR(gradient[2].item<double>(), 1 / (1 + std::exp(-2.)) / 2, 1e-12);
  const at::Tensor none =
      output_terms(student, teacher, {}, anchors, anchors, at::ones_like(left_out)).objectness;
  EXPECT_EQ(none.item<double>(), 0);
}

// The teacher has b and not a. An object of 16 pixels of each at 3.3, 4.6 of 8 × 8 cells: its own
// cell, the left one and the one below answer for it, with both anchors (16 and 32 pixels). Logits
// are 0, the teacher is sure of background: the gradient is ½ of the mean over all cells that
// count.
TEST_F(Distilled, ObjectsOfNewClassesAreNotTaughtToBeBackground) {
  TinyRun tiny;
  with_teacher(tiny, "output");
  tiny.request.options.distill.teacher = write_teacher(scratch, "more.pt", 16, 5, {"b", "x"});
  const PreparedRun& run = tiny.prepared();
  const Loss& loss = *run.model.loss;
  ASSERT_EQ(loss.options().ratio_limit, 4);
  const auto gradient = [&](float class_number) {
    const std::vector<Target> targets{{0, class_number, 3.3f / 8, 4.6f / 8, 2.f / 8, 2.f / 8}};
    nn::TorchNetwork::Outputs own, theirs;
    own.maps.push_back(at::zeros({1, 2, 8, 8, 7}).requires_grad_(true));
    theirs.maps.push_back(at::zeros({1, 2, 8, 8, 7}));
    theirs.maps[0].select(-1, 4).fill_(-40);
    (*run.model.distillation)(theirs, own, loss, targets).backward();
    return own.maps[0].grad().select(-1, 4).select(0, 0).contiguous();  // [anchors, rows, columns]
  };
  const at::Tensor of_new = gradient(0), of_known = gradient(1);
  const double each = .5 * loss.options().gains.obj * loss.balance()[0];
  for (int anchor = 0; anchor < 2; ++anchor)
    for (int row = 0; row < 8; ++row)
      for (int column = 0; column < 8; ++column) {
        const bool answers =
            (row == 4 && (column == 2 || column == 3)) || (row == 5 && column == 3);
        EXPECT_NEAR(of_new[anchor][row][column].item<double>(), answers ? 0 : each / (128 - 6),
                    1e-9)
            << anchor << ' ' << row << ' ' << column;
        EXPECT_NEAR(of_known[anchor][row][column].item<double>(), each / 128, 1e-9);
      }
  EXPECT_GT(each / 128, 1e-6) << "the tolerance is far below it";
}

// Folded, in evaluation mode: twice the same, whatever the batch is.
TEST_F(Distilled, TheTeacherIsItsCheckpointInEvaluation) {
  const network::Checkpoint checkpoint = network::read_checkpoint(teacher);
  nn::TorchNetwork network(checkpoint.build_network());
  network.load(checkpoint.ema);
  network.train(false);
  at::NoGradGuard no_gradient;
  const at::Tensor images = at::rand({2, 3, 64, 64});
  Teacher folded(teacher, at::kCPU);
  const nn::TorchNetwork::Outputs outputs = folded(images, at::kFloat);
  EXPECT_TRUE(at::allclose(outputs.maps[0], network.forward(images)[0], 1e-4, 1e-5));
  EXPECT_EQ(outputs.values[0].sizes(), (at::IntArrayRef{2, 16, 8, 8}));
  EXPECT_FALSE(outputs.maps[0].requires_grad());
  EXPECT_EQ(folded.widths(), std::vector<int>{16});
  EXPECT_EQ(folded.hash(), Teacher(teacher, at::kCPU).hash());
  EXPECT_NE(folded.hash(),
            Teacher(write_teacher(scratch, "names.pt", 16, 5, {"a", "b"}), at::kCPU).hash());
}

TEST_F(Distilled, RollbackAndMemoryKnowTheAdapters) {
  TinyRun tiny;
  with_teacher(tiny);
  PreparedRun& run = tiny.prepared();
  write_last(run.context, run.data, run.model, run.state);
  const at::Tensor adapter = run.model.distillation->adapters()[0].weight,
                   before = adapter.detach().clone();
  EXPECT_FALSE(adapter.grad().defined()) << "of the passes before the first step";
  {
    at::NoGradGuard no_gradient;
    at::Tensor(adapter).fill_(7);
  }
  run.state.skipped_in_row = most_skipped_in_row;
  roll_back(run.context, run.model, run.state);
  EXPECT_TRUE(at::equal(adapter, before));

  TinyRun plain;
  PreparedRun& other = plain.prepared();
  const auto per_picture = [](PreparedRun& one) {
    return memory_from_shapes(one.context, one.data, one.model, one.state, 0, 4).per_micro_picture;
  };
  EXPECT_GT(per_picture(run), per_picture(other));
}

TEST_F(Distilled, SaysWhatGoesTogether) {
  TinyRun tiny;
  with_teacher(tiny);
  tiny.request.options.distill.teacher = write_teacher(scratch, "more.pt", 16, 5, {"b", "x"});
  const std::vector<std::string> lines = tiny.prepared().model.distillation->lines();
  EXPECT_NE(lines[0].find("strides 8 (1x1 adapter 8 to 16 channels)"), std::string::npos)
      << lines[0];
  EXPECT_EQ(lines[1],
            "distillation: 1 of 2 classes are the teacher's; it does not have 1: 'a'; of its own, "
            "1 are not used: 'x'");
}

TEST_F(Distilled, WhatDoesNotGoTogetherIsAnError) {
  const auto message = [&](const std::string& path, const std::string& method) {
    TinyRun tiny;
    with_teacher(tiny, method);
    tiny.request.options.distill.teacher = path;
    return test::error_of([&] { tiny.prepared(); });
  };
  const std::string others = write_teacher(scratch, "others.pt", 16, 5, {"x", "y"});
  EXPECT_NE(message(others, "output").find("expected a teacher that has one of the classes"),
            std::string::npos);
  EXPECT_EQ(message(others, "channel"), "no error") << "features have no classes";
  EXPECT_NE(message((scratch / "none.pt").string(), "channel").find("none.pt"), std::string::npos);
  scratch.write("text.pt", "no checkpoint");
  EXPECT_NE(message((scratch / "text.pt").string(), "channel").find("text.pt"), std::string::npos);
}

}  // namespace
}  // namespace yolov7::training
