#include "training/distillation/distillation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "network/graph/links.hpp"
#include "run/class_pairs.hpp"

namespace yolov7::training {
namespace {

/// What λ = 1 stands for: the term is about as large as a detection loss with its gains, some 0.1
/// (export 9.5).
constexpr double channel_gain = 0.1, feature_gain = 0.01;
/// Number of the adapters' draws, beside those of the initial values, which are hashes of names.
constexpr std::uint32_t adapter_draws = 0xad0b7e5;

std::vector<std::array<float, 2>> in_cells(const network::Level& level) {
  std::vector<std::array<float, 2>> anchors;
  for (const network::AnchorSize& anchor : level.anchors)
    anchors.push_back(
        {static_cast<float>(anchor.w / level.stride), static_cast<float>(anchor.h / level.stride)});
  return anchors;
}

at::Tensor at_least_float(const at::Tensor& x) {
  return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
}

bool reads_outputs(const std::string& method) { return method == "output" || method == "logit"; }

}  // namespace

Distillation::Distillation(const run::DistillOptions& options, std::unique_ptr<Teacher> teacher,
                           const network::Network& student, const std::vector<std::string>& names,
                           std::uint64_t seed)
    : options_(options),
      teacher_(std::move(teacher)),
      inputs_(network::head_inputs(student)),
      reads_features_(!reads_outputs(options.method)) {
  inputs_.resize(student.lead_levels());
  const run::ClassPairs classes = run::pair_classes(names, teacher_->names());
  classes_text_ = run::describe(classes);
  columns_ = classes.pairs;
  taught_.assign(names.size(), 0);
  for (const auto& [own, theirs] : columns_) taught_.at(static_cast<std::size_t>(own)) = 1;
  pair_levels(student);
  if (!reads_features_) require_outputs_alike(student);
  if (names.size() == 1) columns_.clear();  // the loss of a single class has no class term
  if (reads_features_) make_adapters(student, seed);
}

void Distillation::pair_levels(const network::Network& student) {
  const std::vector<double> own = student.strides(), theirs = teacher_->description().strides();
  for (std::size_t i = 0; i < own.size(); ++i) {
    const auto found = std::find(theirs.begin(), theirs.end(), own[i]);
    if (found == theirs.end()) {
      unpaired_.push_back(own[i]);
      continue;
    }
    const auto level = static_cast<std::size_t>(found - theirs.begin());
    pairs_.push_back({i, level, own[i], -1});
    anchors_.push_back(in_cells(student.levels[i]));
    teacher_anchors_.push_back(in_cells(teacher_->description().levels[level]));
  }
  if (pairs_.empty())
    throw Error(fmt::format("{} {}: expected a level with one of the strides {}, found {}",
                            setting_name("teacher"), teacher_->source(), fmt::join(own, ", "),
                            fmt::join(theirs, ", ")));
}

void Distillation::require_outputs_alike(const network::Network& student) const {
  const std::string method = fmt::format("{} {}", setting_name("distill"), options_.method);
  const int theirs = teacher_->description().anchors_per_level;
  if (theirs != student.anchors_per_level)
    throw Error(fmt::format("{}: expected a teacher with {} anchors per level, found {} in {}",
                            method, student.anchors_per_level, theirs, teacher_->source()));
  if (columns_.empty())
    throw Error(fmt::format("{}: expected a teacher that has one of the classes, found none in {}",
                            method, teacher_->source()));
  if (options_.method == "logit" && student.class_count == 1)
    throw Error(
        fmt::format("{}: expected two classes or more, found one: its loss has no class "
                    "term",
                    method));
}

void Distillation::make_adapters(const network::Network& student, std::uint64_t seed) {
  const at::Device device = teacher_->device();
  for (Pair& pair : pairs_) {
    const int from = student.value_channels[static_cast<std::size_t>(inputs_[pair.own])],
              to = teacher_->widths()[pair.theirs];
    if (from == to) continue;
    pair.adapter = static_cast<int>(adapters_.size());
    Random random(seed, 0, adapter_draws, static_cast<std::uint32_t>(pair.stride));
    const double bound = 1 / std::sqrt(from);
    at::Tensor values = at::empty({to, from, 1, 1}, at::kFloat);
    float* const data = values.mutable_data_ptr<float>();
    for (std::int64_t i = 0; i < values.numel(); ++i)
      data[i] = static_cast<float>(random.uniform(-bound, bound));
    adapters_.push_back(
        {fmt::format("distill.adapter.{}.weight", text::general(pair.stride)),
         values.to(device).contiguous(at::MemoryFormat::ChannelsLast).requires_grad_(true)});
  }
}

std::vector<std::string> Distillation::lines() const {
  std::vector<std::string> parts;
  for (const Pair& pair : pairs_) {
    const auto shape = pair.adapter < 0
                           ? at::IntArrayRef()
                           : adapters_[static_cast<std::size_t>(pair.adapter)].weight.sizes();
    parts.push_back(fmt::format(
        "{}{}", text::general(pair.stride),
        shape.empty() ? "" : fmt::format(" (1x1 adapter {} to {} channels)", shape[1], shape[0])));
  }
  std::string levels = fmt::format("strides {}", text::join(parts, ", "));
  if (!unpaired_.empty())
    levels += fmt::format("; the teacher has none of {}", fmt::join(unpaired_, ", "));
  return {fmt::format("distillation: {} of {}, weight {}: {}", options_.method, teacher_->source(),
                      text::general(options_.weight), levels),
          "distillation: " + classes_text_};
}

void Distillation::set_active(bool active) {
  active_ = active;
  for (const Adapter& adapter : adapters_) at::Tensor(adapter.weight).requires_grad_(active);
}

void Distillation::clear_gradients() const {
  for (const Adapter& adapter : adapters_) at::Tensor(adapter.weight).mutable_grad().reset();
}

void Distillation::store(network::Weights& weights) const {
  for (const Adapter& adapter : adapters_) weights.set(adapter.name, nn::to_plain(adapter.weight));
}

void Distillation::load(const network::Weights& weights) const {
  at::NoGradGuard no_gradient;
  for (const Adapter& adapter : adapters_) {
    const network::Tensor& stored = weights.at(adapter.name);
    if (stored.shape != adapter.weight.sizes().vec())
      throw Error(fmt::format("{}: expected shape [{}], found [{}]", adapter.name,
                              fmt::join(adapter.weight.sizes(), ", "),
                              fmt::join(stored.shape, ", ")));
    at::Tensor(adapter.weight).copy_(nn::view_of(stored));
  }
}

/// A neck output of the student in the teacher's width.
at::Tensor Distillation::feature(const Pair& pair, const at::Tensor& value) const {
  if (pair.adapter < 0) return at_least_float(value);
  const at::Tensor& weight = adapters_[static_cast<std::size_t>(pair.adapter)].weight;
  return at_least_float(at::conv2d(value, weight.to(value.scalar_type())));
}

std::vector<LevelGrid> Distillation::grids(const std::vector<at::Tensor>& maps) const {
  std::vector<LevelGrid> result;
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    const at::Tensor& map = maps[pairs_[i].own];
    result.push_back({static_cast<int>(map.size(2)), static_cast<int>(map.size(3)),
                      static_cast<float>(pairs_[i].stride), anchors_[i]});
  }
  return result;
}

/// By pair: all cells that may answer for objects of classes that the teacher does not have: to it
/// they are background, to the detection loss they may be objects. Empty: there are none.
Positives Distillation::cells_of_new_classes(std::span<const Target> targets,
                                             const std::vector<at::Tensor>& maps,
                                             const Loss& loss) const {
  constexpr float reach = 0.5F;  // of the lead levels' assignment
  std::vector<Target> strange;
  for (const Target& target : targets)
    if (taught_.at(static_cast<std::size_t>(target[1])) == 0) strange.push_back(target);
  if (strange.empty()) return {};
  return ratio_positives(strange, grids(maps), static_cast<float>(loss.options().ratio_limit),
                         reach);
}

at::Tensor Distillation::output_term(const Pair& pair, const at::Tensor& own,
                                     const at::Tensor& theirs, const Loss& loss,
                                     const at::Tensor& left_out) const {
  const LossGains& gains = loss.options().gains;
  if (options_.method == "logit")
    return logit_loss(own, theirs, columns_, run::temperature_of(options_)) * gains.cls;
  const auto i = static_cast<std::size_t>(&pair - pairs_.data());
  const OutputTerms terms =
      output_terms(own, theirs, columns_, anchors_[i], teacher_anchors_[i], left_out);
  return terms.objectness * (gains.obj * loss.balance()[pair.own]) + terms.classes * gains.cls +
         terms.box * gains.box;
}

at::Tensor Distillation::operator()(const nn::TorchNetwork::Outputs& teacher,
                                    const nn::TorchNetwork::Outputs& student, const Loss& loss,
                                    std::span<const Target> targets) const {
  std::vector<std::vector<std::uint8_t>> cells;
  if (options_.method == "feature")
    cells = imitation_mask(targets, static_cast<int>(student.maps.front().size(0)),
                           grids(student.maps));
  Positives strange;
  if (options_.method == "output") strange = cells_of_new_classes(targets, student.maps, loss);
  at::Tensor sum;
  for (std::size_t i = 0; i < pairs_.size(); ++i) {
    const Pair& pair = pairs_[i];
    at::Tensor term;
    if (!reads_features_) {
      const at::Tensor own = at_least_float(student.maps[pair.own]);
      term = output_term(pair, own, at_least_float(teacher.maps[pair.theirs]), loss,
                         strange.empty() ? at::Tensor() : cell_mask(strange[i], own));
    } else {
      const at::Tensor own = feature(pair, student.values[pair.own]),
                       theirs = at_least_float(teacher.values[pair.theirs]);
      if (options_.method == "channel") {
        term = channel_loss(own, theirs, run::temperature_of(options_)) * channel_gain;
      } else {
        const at::Tensor mask =
            at::from_blob(cells[i].data(), {own.size(0), own.size(2), own.size(3)}, at::kByte)
                .to(own.device(), own.scalar_type());
        term = imitation_loss(own, theirs, mask) * feature_gain;
      }
    }
    sum = sum.defined() ? sum + term : term;
  }
  return sum * options_.weight;
}

LossValue loss_of(nn::TorchNetwork& network, Loss& loss, const Distillation* teacher,
                  const at::Tensor& images, std::span<const Target> targets,
                  const dataset::TargetMarks& marks) {
  if (teacher == nullptr || !teacher->active())
    return loss(network.forward(images), targets, marks);
  // The teacher first: of its pass only the outputs are left when the student's begins.
  const nn::TorchNetwork::Outputs wanted = (*teacher->teacher_)(images, network.compute());
  const nn::TorchNetwork::Outputs found = network.forward(images, teacher->inputs_);
  LossValue value = loss(found.maps, targets, marks);
  const at::Tensor term = (*teacher)(wanted, found, loss, targets);
  value.total = value.total + term * static_cast<double>(images.size(0));
  value.distilled = term.detach();
  value.parts = value.parts.clone();
  value.parts[3] += value.distilled;
  return value;
}

}  // namespace yolov7::training
