#include "training/data.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/file.hpp"
#include "core/log.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "dataset/formats/open_data.hpp"
#include "dataset/index/read_index.hpp"
#include "dataset/index/ready_set.hpp"
#include "dataset/index/unlabelled.hpp"
#include "image/codec/truncated.hpp"
#include "run/data_manifest.hpp"
#include "run/used_folder.hpp"
#include "training/changed_data.hpp"

namespace yolov7::training {
namespace {

int rounded_size(int size, int stride, const char* what) {
  const int rounded = (size + stride - 1) / stride * stride;
  if (rounded != size)
    log::warning(fmt::format("{}: {} {} is not a multiple of {}; using {}",
                             setting_name("img-size"), what, size, stride, rounded));
  return rounded;
}

}  // namespace

void read_data(Data& data, const RunContext& context, run::RunState& state,
               const std::optional<network::Checkpoint>& resumed) {
  const run::TrainOptions& o = state.options;
  set_truncated_rule(o.truncated);
  // The first process reads the pictures and leaves the index behind, the others find it.
  if (!context.writes()) context.group->any(false);
  const dataset::Description description =
      dataset::open_data(o.data, {o.recheck, o.strict, 0, context.stop});
  if (description.ready && context.writes())
    file::write_atomically(context.folder / "data_account.json", description.ready->account + "\n");
  dataset::IndexOptions index{o.single_cls, o.strict, o.recheck, true, 0, context.stop};
  data.train = dataset::read_index(description, "train", index);
  index.training = false;
  data.val = dataset::read_index(description, "val", index);
  if (context.writes()) context.group->any(false);
  if (data.val.label_count() == 0)
    log::warning(
        "the val split has no object: every metric will be 0, and no epoch can be told to be the "
        "best");
  const auto shared = dataset::shared_pictures(data.train, data.val);
  if (!shared.empty()) {
    log::warning(fmt::format(
        "{} images are in train and in val: the validation numbers are too good", shared.size()));
    for (std::size_t i = 0; i < std::min<std::size_t>(shared.size(), 5); ++i)
      log::warning(fmt::format("  {} = {}", shared[i].first.string(), shared[i].second.string()));
  }
  if (resumed && resumed->dataset_identity != data.train.identity) {
    const std::string difference = run::first_difference(context.folder, data.train);
    accept_change(state,
                  fmt::format("the train split of {} is not the one this run began with: {}",
                              o.data, difference),
                  fmt::format("the train split changed since this run began: {}", difference));
  }
  data.marks = take_marks(data.train, description, state, resumed.has_value());
  if (!context.writes()) return;
  for (const dataset::Index* split : {&data.train, &data.val})
    run::require_images_elsewhere(context.folder, *split);
  if (!resumed || resumed->dataset_identity != data.train.identity)
    run::write_manifest(context.folder, data.train);
}

void open_unlabelled(Data& data, const RunContext& context, run::RunState& state, bool resumed) {
  const run::TrainOptions& o = state.options;
  if (o.semi.unlabelled.empty()) return;
  if (!run::learns_unlabelled(o.semi)) {
    log::info(fmt::format("images without labels: {} is 0: plain training",
                          setting_name("unlabelled-weight")));
    return;
  }
  if (!context.writes()) context.group->any(false);
  auto unlabelled = std::make_unique<UnlabelledData>();
  unlabelled->index =
      dataset::read_unlabelled(o.semi.unlabelled, data.train.names, o.recheck, context.stop);
  if (context.writes()) context.group->any(false);
  const dataset::Index& index = unlabelled->index;
  if (context.writes()) run::require_images_elsewhere(context.folder, index);
  for (std::size_t i = 0; i < std::min<std::size_t>(index.problems.size(), 5); ++i)
    log::warning("left out: " + text_of(index.problems[i]));
  const std::size_t in_train = dataset::shared_pictures(index, data.train).size(),
                    in_val = dataset::shared_pictures(index, data.val).size();
  log::info(fmt::format(
      "images without labels: {} used, {} cannot be read; {} of them are training images, {} are "
      "validation images; from epoch {} on, labels from score {} on, ignored regions from {} on, "
      "weight {}",
      index.entries.size(), index.corrupt, in_train, in_val, run::burn_in_epochs(o.semi, o.epochs),
      text::general(o.semi.pseudo_conf), text::general(o.semi.pseudo_ignore),
      text::general(o.semi.unlabelled_weight)));
  if (resumed && index.identity != state.unlabelled_hash)
    accept_change(state,
                  fmt::format("{} {}: expected the images that this run began with, found others",
                              setting_name("unlabelled"), o.semi.unlabelled),
                  "the images without labels changed since this run began");
  state.unlabelled_hash = index.identity;
  data.unlabelled = std::move(unlabelled);
}

void start_unlabelled(Data& data, const RunContext& context, const run::RunState& state) {
  if (!data.unlabelled) return;
  const run::TrainOptions& o = state.options;
  const int batch = run::unlabelled_batch(o.semi, o.batch_size, context.group->size());
  const dataset::LoaderOptions options = loader_options(data, *context.group, state);
  UnlabelledData& own = *data.unlabelled;
  own.weak = std::make_unique<dataset::BatchLoader>(own.index, weak_view(options, batch));
  own.strong = std::make_unique<dataset::BatchLoader>(own.index, strong_view(options, batch));
  log::info(
      fmt::format("images without labels: {} beside the {} labelled ones of a batch; the "
                  "predicted peak of memory is without their loaders",
                  batch, o.batch_size));
}

void choose_sizes(Data& data, const run::TrainOptions& o, double stride) {
  data.stride = std::max(32, static_cast<int>(stride));
  data.train_size = rounded_size(o.img_size.front(), data.stride, "training size");
  data.val_size = rounded_size(o.img_size.back(), data.stride, "validation size");
}

int loader_threads(const Communicator& group, int workers) {
  return std::min(workers, std::max(1, usable_cores() / group.world().local_size));
}

dataset::LoaderOptions loader_options(const Data& data, const Communicator& group,
                                      const run::RunState& state) {
  const run::TrainOptions& o = state.options;
  dataset::LoaderOptions l;
  l.batch_size = o.batch_size;
  l.image_size = data.train_size;
  l.stride = data.stride;
  l.augment = true;
  l.rectangular_pad = 0;
  l.shuffle = !o.no_shuffle;
  l.quad = o.quad;
  l.workers = loader_threads(group, o.workers);
  l.part = group.rank();
  l.parts = group.size();
  l.seed = static_cast<std::uint64_t>(o.seed);
  l.cache_bytes = static_cast<std::size_t>(o.cache_budget * 1e9);
  l.scaled_decoding = o.scaled_decoding;
  l.epochs = o.epochs;
  if (o.close_mosaic > 0) l.last_mosaic_epoch = o.epochs - o.close_mosaic - 1;
  l.augmentation = state.hyp.augmentation;
  l.rectangular = o.rect && !o.image_weights;
  l.weights = data.marks.weights;
  l.drawn = data.marks.drawn;
  if (l.drawn) l.drawn_share = o.semi.synthetic_share;
  return l;
}

}  // namespace yolov7::training
