#include "training/mean_teacher.hpp"

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "image/boxes/nms.hpp"

namespace yolov7::training {
namespace {

PseudoRule rule_of(const run::SemiOptions& o) {
  return {o.pseudo_conf, o.pseudo_ignore, o.machine_weight == "confidence"};
}

NmsOptions suppression(const run::SemiOptions& o) {
  NmsOptions nms;
  nms.conf_thres = o.pseudo_ignore;
  nms.iou_thres = 0.65;
  return nms;
}

}  // namespace

void take_pseudo_labels(dataset::Batch& batch, int sample, std::span<const Detection> found,
                        const PseudoRule& rule) {
  const auto number = static_cast<float>(sample);
  for (const Detection& one : found) {
    const Xyxy inside = clip(one.box, batch.width, batch.height);
    if (!(inside.width() > 0 && inside.height() > 0)) continue;
    const CxcywhNormalized box = to_normalized(inside, batch.width, batch.height);
    const auto cx = static_cast<float>(box.cx), cy = static_cast<float>(box.cy),
               w = static_cast<float>(box.w), h = static_cast<float>(box.h);
    if (one.score >= static_cast<float>(rule.label)) {
      batch.targets.push_back({number, static_cast<float>(one.class_index), cx, cy, w, h});
      if (rule.by_confidence) batch.marks.weights.push_back(std::min(one.score, 1.0f));
    } else if (one.score >= static_cast<float>(rule.region)) {
      batch.marks.ignored.push_back({number, cx, cy, w, h});
    }
  }
}

MeanTeacher::MeanTeacher(const Data& data, const Model& model, const run::RunState& state)
    : data_(data), model_(model), state_(state) {}

std::optional<dataset::Batch> MeanTeacher::batch(std::int64_t iteration, int at_once) {
  const run::TrainOptions& o = state_.options;
  const std::int64_t burn_in =
      run::burn_in_epochs(o.semi, o.epochs) * static_cast<std::int64_t>(data_.loader->batches());
  if (iteration < burn_in) return std::nullopt;
  const UnlabelledData& unlabelled = *data_.unlabelled;
  const std::int64_t place = iteration - burn_in,
                     length = static_cast<std::int64_t>(unlabelled.weak->batches());
  if (place != next_ || place % length == 0)
    for (dataset::BatchLoader* loader : {unlabelled.weak.get(), unlabelled.strong.get()})
      loader->start(static_cast<int>(place / length), static_cast<std::size_t>(place % length));
  next_ = place + 1;
  const auto weak = unlabelled.weak->next();
  auto strong = unlabelled.strong->next();
  if (!weak || !strong || weak->count != strong->count)
    throw Error("mean teacher: expected a batch of two equal views, found none");
  model_.ema->network().train(false);
  model_.ema->network().set_compute(model_.network->compute());
  for (int first = 0; first < weak->count; first += at_once)
    find(*weak, first, std::min(at_once, weak->count - first), *strong);
  return strong;
}

void MeanTeacher::find(const dataset::Batch& weak, int first, int count, dataset::Batch& strong) {
  at::NoGradGuard no_gradient;
  const std::size_t image =
      3 * static_cast<std::size_t>(weak.height) * static_cast<std::size_t>(weak.width);
  nn::TorchNetwork& network = model_.ema->network();
  const at::Tensor images = nn::image_tensor(std::span<const std::uint8_t>(weak.pixels)
                                                 .subspan(static_cast<std::size_t>(first) * image,
                                                          static_cast<std::size_t>(count) * image),
                                             count, weak.height, weak.width, network.device());
  std::vector<at::Tensor> maps = network.forward(images);
  for (at::Tensor& map : maps) map = map.to(at::kFloat);
  const at::Tensor rows =
      nn::decode(maps, network.description()).to(at::kCPU, at::kFloat).contiguous();
  const run::SemiOptions& o = state_.options.semi;
  for (int i = 0; i < count; ++i)
    take_pseudo_labels(strong, first + i,
                       non_maximum_suppression(rows[i].const_data_ptr<float>(),
                                               static_cast<std::size_t>(rows.size(1)),
                                               network.description().class_count, suppression(o))
                           .detections,
                       rule_of(o));
}

}  // namespace yolov7::training
