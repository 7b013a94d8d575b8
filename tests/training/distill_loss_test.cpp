// The losses of a distillation against the same formulas in loops of doubles, and their gradients
// against finite differences.
#include "training/distillation/distill_loss.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "core/error.hpp"

namespace yolov7::training {
namespace {

/// 1.5 · sin(0.731 n + phase), in double.
at::Tensor wave(std::vector<std::int64_t> shape, double phase) {
  std::int64_t count = 1;
  for (const std::int64_t side : shape) count *= side;
  return (at::arange(count, at::kDouble) * 0.731 + phase).sin().mul(1.5).view(shape);
}

double at_place(const at::Tensor& t, std::initializer_list<std::int64_t> place) {
  at::Tensor x = t;
  for (const std::int64_t i : place) x = x[i];
  return x.item<double>();
}

double sigmoid(double z) { return 1 / (1 + std::exp(-z)); }
double entropy(double z, double y) {
  const double p = sigmoid(z);
  return -y * std::log(p) - (1 - y) * std::log(1 - p);
}

/// d loss / d student by central differences, against back-propagation. h = 1e-5: the error of the
/// difference is of order h² and of rounding 1e-16 / h.
void expect_gradient(const at::Tensor& student,
                     const std::function<at::Tensor(const at::Tensor&)>& loss) {
  at::Tensor x = student.clone().requires_grad_(true);
  loss(x).backward();
  const at::Tensor found = x.grad().reshape(-1);
  at::NoGradGuard no_gradient;
  constexpr double h = 1e-5;
  for (std::int64_t i = 0; i < student.numel(); i += 7) {
    const auto moved = [&](double by) {
      at::Tensor y = student.clone();
      y.view(-1)[i] += by;
      return loss(y).item<double>();
    };
    EXPECT_NEAR(found[i].item<double>(), (moved(h) - moved(-h)) / (2 * h), 1e-9) << i;
  }
}

/// Means and deviations over pictures and positions, softmax over positions, KL.
double channel_by_loops(const at::Tensor& student, const at::Tensor& teacher, double tau) {
  const std::int64_t n = student.size(0), c = student.size(1), h = student.size(2),
                     w = student.size(3);
  const auto logits = [&](const at::Tensor& x, std::int64_t channel) {
    double mean = 0, variance = 0;
    for (std::int64_t b = 0; b < n; ++b)
      for (std::int64_t i = 0; i < h * w; ++i)
        mean += at_place(x, {b, channel, i / w, i % w}) / static_cast<double>(n * h * w);
    for (std::int64_t b = 0; b < n; ++b)
      for (std::int64_t i = 0; i < h * w; ++i)
        variance += std::pow(at_place(x, {b, channel, i / w, i % w}) - mean, 2) /
                    static_cast<double>(n * h * w);
    std::vector<std::vector<double>> rows(static_cast<std::size_t>(n));
    for (std::int64_t b = 0; b < n; ++b)
      for (std::int64_t i = 0; i < h * w; ++i)
        rows[static_cast<std::size_t>(b)].push_back(
            (at_place(x, {b, channel, i / w, i % w}) - mean) / std::sqrt(variance + 1e-6) / tau);
    return rows;
  };
  double sum = 0;
  for (std::int64_t channel = 0; channel < c; ++channel) {
    const auto s = logits(student, channel), t = logits(teacher, channel);
    for (std::size_t b = 0; b < s.size(); ++b) {
      double s_sum = 0, t_sum = 0;
      for (std::size_t i = 0; i < s[b].size(); ++i)
        s_sum += std::exp(s[b][i]), t_sum += std::exp(t[b][i]);
      for (std::size_t i = 0; i < s[b].size(); ++i) {
        const double p = std::exp(t[b][i]) / t_sum, q = std::exp(s[b][i]) / s_sum;
        sum += p * std::log(p / q);
      }
    }
  }
  return tau * tau * sum / static_cast<double>(n * c);
}

TEST(ChannelLoss, IsTheFormula) {
  const at::Tensor student = wave({2, 3, 4, 5}, 0.2), teacher = wave({2, 3, 4, 5}, 1.1) * 3 + 7;
  for (const double tau : {1.0, 2.5}) {
    EXPECT_NEAR(channel_loss(student, teacher, tau).item<double>(),
                channel_by_loops(student, teacher, tau), 1e-12);
    expect_gradient(student, [&](const at::Tensor& x) { return channel_loss(x, teacher, tau); });
  }
}

// Normalised features: neither scale nor shift of a channel counts, so equal patterns have no loss.
TEST(ChannelLoss, OfTheSamePatternIsZero) {
  const at::Tensor student = wave({2, 3, 4, 5}, 0.2);
  EXPECT_NEAR(channel_loss(student, student * 4 - 3, 1).item<double>(), 0, 1e-6);
  at::Tensor teacher = wave({2, 3, 4, 5}, 1).requires_grad_(true);
  at::Tensor x = student.clone().requires_grad_(true);
  channel_loss(x, teacher, 1).backward();
  EXPECT_FALSE(teacher.grad().defined());
  EXPECT_TRUE(x.grad().defined());
  const at::Tensor constant = at::full({2, 3, 4, 5}, 2.0, at::kDouble);
  EXPECT_TRUE(channel_loss(constant, teacher, 1).isfinite().item<bool>());
  EXPECT_THROW(channel_loss(student, wave({2, 4, 4, 5}, 0), 1), Error);
}

// Two cells of the mask: ½ · (1² + 2² + 0² + 1²) / 2 = 1.5.
TEST(ImitationLoss, CountsTheMaskAlone) {
  const at::Tensor teacher = at::zeros({1, 2, 1, 3}, at::kDouble),
                   student = at::tensor({1., 9., 0., 2., 9., 1.}, at::kDouble).view({1, 2, 1, 3}),
                   mask = at::tensor({1., 0., 1.}, at::kDouble).view({1, 1, 3});
  EXPECT_DOUBLE_EQ(imitation_loss(student, teacher, mask).item<double>(), 1.5);
  EXPECT_EQ(imitation_loss(student, teacher, mask * 0).item<double>(), 0);
  expect_gradient(student, [&](const at::Tensor& x) { return imitation_loss(x, teacher, mask); });
}

// A target of 2 × 2 cells about the corner of four cells, anchors of 2 × 2: at these four the
// overlap is 1.5² of 8 − 1.5² = 0.39, the largest; at their neighbours 0.75 of 7.25 = 0.10, below
// half. A coarse level's anchor of 8 × 8 first cells: 4 of 64 = 0.06.
TEST(ImitationMask, HoldsCellsNearTheBestOverlap) {
  const std::vector<LevelGrid> levels{{8, 8, 8, {{2, 2}}}, {2, 2, 32, {{2, 2}}}};
  const std::vector<Target> targets{{1, 0, 3.f / 8, 5.f / 8, 2.f / 8, 2.f / 8}};
  const auto mask = imitation_mask(targets, 2, levels);
  std::vector<std::uint8_t> fine(128);
  for (const int row : {4, 5})
    for (const int column : {2, 3}) fine[static_cast<std::size_t>(64 + row * 8 + column)] = 1;
  EXPECT_EQ(mask[0], fine);
  EXPECT_EQ(mask[1], std::vector<std::uint8_t>(8));
  EXPECT_EQ(imitation_mask({}, 2, levels)[0], std::vector<std::uint8_t>(128));
}

struct Box {
  double x, y, w, h;
};

double ciou(const Box& a, const Box& b) {
  const auto low = [](double c, double s) { return c - s / 2; };
  const auto high = [](double c, double s) { return c + s / 2; };
  const double iw = std::min(high(a.x, a.w), high(b.x, b.w)) -
                    std::max(low(a.x, a.w), low(b.x, b.w)),
               ih = std::min(high(a.y, a.h), high(b.y, b.h)) -
                    std::max(low(a.y, a.h), low(b.y, b.h));
  const double inter = std::max(iw, 0.) * std::max(ih, 0.), all = a.w * a.h + b.w * b.h - inter,
               iou = inter / all;
  const double cw = std::max(high(a.x, a.w), high(b.x, b.w)) -
                    std::min(low(a.x, a.w), low(b.x, b.w)),
               ch = std::max(high(a.y, a.h), high(b.y, b.h)) -
                    std::min(low(a.y, a.h), low(b.y, b.h));
  const double distance = (std::pow(a.x - b.x, 2) + std::pow(a.y - b.y, 2)) / (cw * cw + ch * ch);
  const double v =
      4 / std::pow(std::numbers::pi, 2) * std::pow(std::atan(a.w / a.h) - std::atan(b.w / b.h), 2);
  return iou - distance - (v == 0 ? 0 : v / (v - iou + 1)) * v;
}

// Classes 0 and 2 of the student are 1 and 0 of the teacher.
TEST(OutputTerms, AreTheFormula) {
  const at::Tensor student = wave({2, 2, 3, 4, 8}, 0.2), teacher = wave({2, 2, 3, 4, 7}, 1.1);
  const ClassColumns columns{{0, 1}, {2, 0}};
  const std::vector<std::array<float, 2>> own{{1.5f, 2}, {4, 3}}, theirs{{2, 2}, {3, 5}};
  double objectness = 0, classes = 0, box = 0;
  const double cells = 2 * 2 * 3 * 4;
  for (std::int64_t i = 0; i < 48; ++i) {
    const at::Tensor s = student.view({48, 8})[i], t = teacher.view({48, 7})[i];
    const auto anchor = static_cast<std::size_t>(i / 12 % 2);
    const auto decoded = [&](const at::Tensor& r, const std::array<float, 2>& a) {
      const auto v = [&](int k) { return sigmoid(at_place(r, {k})); };
      return Box{2 * v(0) - .5, 2 * v(1) - .5, std::pow(2 * v(2), 2) * a[0],
                 std::pow(2 * v(3), 2) * a[1]};
    };
    const double o = sigmoid(at_place(t, {4}));
    objectness += entropy(at_place(s, {4}), o) / cells;
    classes += o *
               (entropy(at_place(s, {5}), sigmoid(at_place(t, {6}))) +
                entropy(at_place(s, {7}), sigmoid(at_place(t, {5})))) /
               2 / cells;
    box += o * (1 - ciou(decoded(s, own[anchor]), decoded(t, theirs[anchor]))) / cells;
  }
  const OutputTerms terms = output_terms(student, teacher, columns, own, theirs);
  EXPECT_NEAR(terms.objectness.item<double>(), objectness, 1e-12);
  EXPECT_NEAR(terms.classes.item<double>(), classes, 1e-12);
  EXPECT_NEAR(terms.box.item<double>(), box, 1e-6);  // the loss keeps divisors above 0 by 1e-7
  EXPECT_EQ(output_terms(student, teacher, {}, own, theirs).classes.item<double>(), 0);
  expect_gradient(student, [&](const at::Tensor& x) {
    const OutputTerms all = output_terms(x, teacher, columns, own, theirs);
    return all.objectness + all.classes;
  });
}

TEST(LogitLoss, IsTheFormula) {
  const at::Tensor student = wave({1, 2, 3, 4, 8}, 0.2), teacher = wave({1, 2, 3, 4, 7}, 1.1);
  const ClassColumns columns{{0, 1}, {2, 0}};
  double sum = 0;
  for (std::int64_t i = 0; i < 24; ++i) {
    const at::Tensor s = student.view({24, 8})[i], t = teacher.view({24, 7})[i];
    sum += sigmoid(at_place(t, {4})) *
           (entropy(at_place(s, {5}) / 3, sigmoid(at_place(t, {6}) / 3)) +
            entropy(at_place(s, {7}) / 3, sigmoid(at_place(t, {5}) / 3))) /
           2 * 9 / 24;
  }
  EXPECT_NEAR(logit_loss(student, teacher, columns, 3).item<double>(), sum, 1e-12);
  expect_gradient(student, [&](const at::Tensor& x) { return logit_loss(x, teacher, columns, 3); });
}

}  // namespace
}  // namespace yolov7::training
