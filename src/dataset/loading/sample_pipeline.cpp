#include "dataset/loading/sample_pipeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "dataset/augment/copy_paste.hpp"
#include "dataset/augment/hsv.hpp"
#include "dataset/augment/mixup.hpp"
#include "dataset/augment/paste_in.hpp"
#include "dataset/augment/transforms/boxes.hpp"
#include "image/letterbox.hpp"

namespace yolov7::dataset {

/// The random streams of one sample; `shift` separates the second mosaic of a mixup.
struct SamplePipeline::Draws {
  std::uint64_t seed;
  std::uint32_t epoch, position, shift;
  double progress = 1;
  Random operator()(Operation operation) const {
    return Random(seed, epoch, position, static_cast<std::uint32_t>(operation) + shift);
  }
  /// Of a step of the list; place 0 is the sample, from 1 on the tiles.
  Random of_step(std::size_t step, std::uint32_t place) const {
    return Random(
        seed, epoch, position,
        augment_operations + 64 * static_cast<std::uint32_t>(step) + place + (shift != 0 ? 32 : 0));
  }
};

namespace {

std::size_t pick(std::span<const std::size_t> order, Random& random) {
  return order[static_cast<std::size_t>(
      random.integer(0, static_cast<std::int64_t>(order.size()) - 1))];
}

/// Without padding, which only single pictures have.
SampleOrigin origin_of(std::size_t entry, cv::Size original, cv::Size resized) {
  SampleOrigin origin;
  origin.entry = entry;
  origin.width = original.width;
  origin.height = original.height;
  origin.gain_x = static_cast<double>(resized.width) / original.width;
  origin.gain_y = static_cast<double>(resized.height) / original.height;
  return origin;
}

}  // namespace

SamplePipeline::SamplePipeline(const Index& index, const LoaderOptions& options,
                               ResizedPictures& pictures)
    : index_(index), options_(options), pictures_(pictures) {
  if (!options.augmentation.augment.empty())
    steps_ = AugmentList::parse(parse_yaml(options.augmentation.augment, "augment"));
  any_polygon_ = std::any_of(index.entries.begin(), index.entries.end(), [](const Entry& entry) {
    return std::any_of(entry.labels.begin(), entry.labels.end(),
                       [](const Label& label) { return !label.polygon.empty(); });
  });
}

SamplePipeline::Draws SamplePipeline::draws_of(const SampleKey& key) const {
  return {options_.seed, static_cast<std::uint32_t>(key.epoch),
          static_cast<std::uint32_t>(key.position), 0,
          std::min(1.0, (key.epoch + 1.0) / options_.epochs)};
}

void SamplePipeline::run_steps(Stage stage, Sample& sample, const Draws& draws, std::uint32_t place,
                               const Partner& other) const {
  if (!steps_.has(stage)) return;
  TransformContext context;
  context.progress = draws.progress;
  context.other = other;
  steps_.run(
      stage, sample, [&](std::size_t step) { return draws.of_step(step, place); }, context);
}

Sample SamplePipeline::sample_of(std::size_t entry) const {
  return to_sample(pictures_.get(entry).picture.clone(), index_.entries[entry].labels,
                   weights_of(entry).get());
}

std::shared_ptr<const LabelWeights> SamplePipeline::weights_of(std::size_t entry) const {
  if (!options_.weights) return nullptr;
  return {options_.weights, &(*options_.weights)[entry]};
}

PerspectiveStep SamplePipeline::perspective_step(Random& random, cv::Size output) const {
  PerspectiveStep step;
  step.draws = draw_perspective(options_.augmentation, random);
  step.projective = options_.augmentation.perspective != 0;
  step.output = output;
  return step;
}

Sample SamplePipeline::partner_mosaic(std::span<const std::size_t> order, const Draws& draws,
                                      Random& random) const {
  Draws own = draws;
  own.shift = mixup_operations;
  const Sample mosaic = unwarped4(pick(order, random), order, random, random, own, {});
  return random_perspective(mosaic,
                            perspective_step(random, {options_.image_size, options_.image_size}));
}

Tile SamplePipeline::tile(std::size_t entry, const Draws& draws, std::uint32_t place) const {
  if (!steps_.has(Stage::picture)) {
    Tile later{{}, index_.entries[entry].labels};
    later.weights = weights_of(entry);
    later.load_size = resized_size({index_.entries[entry].width, index_.entries[entry].height},
                                   options_.image_size);
    later.load = [this, entry, size = later.load_size] {
      const cv::Mat picture = pictures_.get(entry).picture;
      if (picture.size() != size)
        throw Error(
            fmt::format("{}: expected an image that gives {} x {} px, as when the data set was "
                        "read, found {} x {}",
                        index_.entries[entry].picture.string(), size.width, size.height,
                        picture.cols, picture.rows));
      return picture;
    };
    return later;
  }
  Sample sample = sample_of(entry);
  run_steps(Stage::picture, sample, draws, 1 + place, {});
  // Whatever the steps made of it, the long side is s again (data 7.1).
  letterbox_sample(sample, resized_size(sample.picture.size(), options_.image_size), {});
  return to_tile(sample);
}

Sample SamplePipeline::unwarped4(std::size_t entry, std::span<const std::size_t> order,
                                 Random& position, Random& partners, const Draws& draws,
                                 cv::Mat canvas, const cv::Rect& needed) const {
  const double s = options_.image_size;
  const double yc = position.uniform(s / 2, 3 * s / 2), xc = position.uniform(s / 2, 3 * s / 2);
  std::array<Tile, 4> tiles{tile(entry, draws, 0), {}, {}, {}};
  for (std::size_t i = 1; i < tiles.size(); ++i)
    tiles[i] = tile(pick(order, partners), draws, static_cast<std::uint32_t>(i));
  return mosaic4(tiles, options_.image_size, yc, xc, std::move(canvas), needed);
}

SamplePipeline::Unwarped SamplePipeline::mosaic(std::size_t entry,
                                                std::span<const std::size_t> order,
                                                const Draws& draws, cv::Mat canvas) const {
  const int s = options_.image_size;
  Random position = draws(Operation::mosaic_position), partners = draws(Operation::mosaic_partners);
  Random random = draws(Operation::perspective);
  const PerspectiveStep step = perspective_step(random, {s, s});
  // Copying outlines moves pixels about before the step.
  const cv::Rect needed = options_.augmentation.copy_paste > 0 ? cv::Rect(0, 0, 2 * s, 2 * s)
                                                               : source_part(step, {2 * s, 2 * s});
  Sample sample;
  if (draws(Operation::mosaic_kind).chance(1 - options_.augmentation.mosaic9)) {
    sample = unwarped4(entry, order, position, partners, draws, std::move(canvas), needed);
  } else {
    const double yc = position.uniform(0, s), xc = position.uniform(0, s);
    std::array<Tile, 9> tiles{tile(entry, draws, 0), {}, {}, {}, {}, {}, {}, {}, {}};
    for (std::size_t i = 1; i < tiles.size(); ++i)
      tiles[i] = tile(pick(order, partners), draws, static_cast<std::uint32_t>(i));
    sample = mosaic9(tiles, s, yc, xc, std::move(canvas), needed);
  }
  Random choice = draws(Operation::copy_paste);
  if (options_.augmentation.copy_paste > 0)
    copy_paste(sample, choose_polygons(sample.objects, options_.augmentation.copy_paste, choice));
  return {std::move(sample), step};
}

Sample SamplePipeline::single(std::size_t entry, cv::Size shape, SampleOrigin& origin,
                              const Draws* draws) const {
  ResizedPictures::Loaded loaded = pictures_.get(entry);
  Tile changed{loaded.picture, index_.entries[entry].labels, nullptr};
  changed.weights = weights_of(entry);
  if (draws != nullptr) changed = tile(entry, *draws, 0);
  if (!changed.load) loaded.picture = changed.picture;
  LetterboxOptions options;
  options.automatic = false;
  options.scale_up = options_.augment;
  options.stride = options_.stride;
  const Letterbox g = letterbox_geometry(loaded.picture.size(), shape, options);
  origin = origin_of(entry, loaded.original, loaded.picture.size());
  origin.gain_x *= g.ratio_x;
  origin.gain_y *= g.ratio_y;
  origin.pad_x = g.dw;
  origin.pad_y = g.dh;
  Sample sample;
  sample.picture = letterbox(loaded.picture, g);
  sample.objects =
      to_objects(changed.labels, changed.weights.get(), g.ratio_x * loaded.picture.cols,
                 g.ratio_y * loaded.picture.rows, g.dw, g.dh);
  return sample;
}

Sample SamplePipeline::mixed_up(Unwarped first, std::span<const std::size_t> order,
                                const Draws& draws, PipelineMemory& memory) const {
  Sample sample = random_perspective(first.sample, first.step, memory.first);
  Random partner = draws(Operation::mixup_partner);
  const std::size_t second = static_cast<std::size_t>(
      partner.integer(0, static_cast<std::int64_t>(index_.entries.size()) - 1));
  Draws other = draws;
  other.shift = mixup_operations;
  memory.second.create(first.step.output, CV_8UC3);
  const Unwarped unwarped = mosaic(second, order, other, memory.canvas);
  mixup(sample, random_perspective(unwarped.sample, unwarped.step, memory.second),
        draws(Operation::mixup_ratio).beta(8, 8));
  return sample;
}

SamplePipeline::Draft SamplePipeline::training(const SampleKey& key,
                                               std::span<const std::size_t> order, cv::Size shape,
                                               SampleOrigin& origin, PipelineMemory& memory) const {
  const AugmentOptions& a = options_.augmentation;
  const Draws draws = draws_of(key);
  const cv::Size square(options_.image_size, options_.image_size);
  const bool closed = key.epoch > options_.last_mosaic_epoch;
  const bool pastes = any_polygon_ && !closed && draws(Operation::paste_in).chance(a.paste_in),
             touches_pixels = pastes || steps_.has(Stage::pixels) || steps_.has(Stage::erasing);
  const bool stays_warped = touches_pixels || steps_.has(Stage::mixing) ||
                            steps_.has(Stage::policy) || steps_.has(Stage::geometry);
  memory.canvas.create(2 * square.height, 2 * square.width, CV_8UC3);
  memory.first.create(shape, CV_8UC3);
  const Partner picture = [&](Random& random) { return sample_of(pick(order, random)); };
  Sample sample;
  if (!options_.rectangular && !closed && draws(Operation::mosaic).chance(a.mosaic)) {
    Unwarped unwarped = mosaic(key.entry, order, draws, memory.canvas);
    const cv::Size original(index_.entries[key.entry].width, index_.entries[key.entry].height);
    origin = origin_of(key.entry, original, resized_size(original, options_.image_size));
    const bool mixes = draws(Operation::mixup).chance(a.mixup);
    if (!mixes && !stays_warped) return {std::move(unwarped.sample), unwarped.step, false};
    if (mixes) {
      sample = mixed_up(std::move(unwarped), order, draws, memory);
    } else {
      sample = random_perspective(unwarped.sample, unwarped.step, memory.first);
      run_steps(Stage::mixing, sample, draws, 0,
                [&](Random& random) { return partner_mosaic(order, draws, random); });
    }
  } else {
    Random random = draws(Operation::perspective);
    PerspectiveStep step = perspective_step(random, shape);
    step.use_polygons = false;  // data K18
    sample = single(key.entry, shape, origin, &draws);
    if (!stays_warped) return {std::move(sample), step, false};
    sample = random_perspective(sample, step, memory.first);
    if (!closed) run_steps(Stage::mixing, sample, draws, 0, picture);
  }
  run_steps(Stage::policy, sample, draws, 0, picture);
  run_steps(Stage::geometry, sample, draws, 0, picture);
  letterbox_sample(sample, shape, {});
  if (!touches_pixels) return {std::move(sample), std::nullopt, false};
  if (const auto change = colours(draws)) apply_hsv(sample.picture, *change);
  run_steps(Stage::pixels, sample, draws, 0, picture);
  if (pastes) paste(sample, order, draws, memory.canvas);
  run_steps(Stage::erasing, sample, draws, 0, picture);
  return {std::move(sample), std::nullopt, true};
}

std::optional<ColourChange> SamplePipeline::colours(const Draws& draws) const {
  const AugmentOptions& a = options_.augmentation;
  if (a.hsv_h == 0 && a.hsv_s == 0 && a.hsv_v == 0)
    return std::nullopt;  // gains of 1: nothing but rounding
  Random random = draws(Operation::hsv);
  const double h = random.uniform(-1, 1), s = random.uniform(-1, 1), v = random.uniform(-1, 1);
  return ColourChange(1 + h * a.hsv_h, 1 + s * a.hsv_s, 1 + v * a.hsv_v);
}

/// What is left: warp, colours, flips and planes in one pass over the rows.
void SamplePipeline::finish(const Draft& draft, const Draws& draws, Flips flips,
                            std::uint8_t* planes, FinishedSample& finished) const {
  const std::optional<ColourChange> change = draft.coloured ? std::nullopt : colours(draws);
  const ColourChange* const colour = change ? &*change : nullptr;
  Sample sample = draft.sample;
  cv::Size size = sample.picture.size();
  if (draft.step && !draft.step->projective) {
    const cv::Matx33d m = perspective_matrix(draft.step->draws, size, draft.step->output);
    sample.objects = warp_objects(sample.objects, *draft.step, m);
    if (changes_nothing(*draft.step, size, m))
      write_planes(sample.picture, flips, colour, planes);
    else
      warp_to_planes(sample.picture, m, draft.step->output, flips, colour, planes);
    size = draft.step->output;
  } else {
    if (draft.step) sample = random_perspective(sample, *draft.step);
    size = sample.picture.size();
    write_planes(sample.picture, flips, colour, planes);
  }
  finished.targets = write_targets(sample.objects, size, flips);
  finished.marks = write_marks(sample.objects, size, flips);
}

void SamplePipeline::paste(Sample& sample, std::span<const std::size_t> order, const Draws& draws,
                           cv::Mat canvas) const {
  // Where outlines are rare a round may bring none; the reference goes on for ever once it has one.
  constexpr int most_rounds = 30;
  std::vector<PasteSource> sources;
  Random random = draws(Operation::paste_in_sources);
  for (int round = 0; round < most_rounds && sources.size() < paste_sources_wanted; ++round) {
    const std::size_t entry = static_cast<std::size_t>(
        random.integer(0, static_cast<std::int64_t>(index_.entries.size()) - 1));
    const Sample mosaic = unwarped4(entry, order, random, random, draws, canvas);
    const auto chosen = choose_polygons(mosaic.objects, 0.5, random);
    for (PasteSource& source : cut_sources(mosaic, chosen)) sources.push_back(std::move(source));
    if (sources.empty()) break;
  }
  Random places = draws(Operation::paste_in_places);
  paste_in(sample, sources, places);
}

FinishedSample SamplePipeline::build(const SampleKey& key, std::span<const std::size_t> order,
                                     cv::Size shape, std::uint8_t* planes,
                                     PipelineMemory& memory) const {
  FinishedSample finished;
  const Draws draws = draws_of(key);
  if (!options_.augment) {
    finish({single(key.entry, shape, finished.origin, nullptr), std::nullopt, true}, draws, {},
           planes, finished);
    return finished;
  }
  const Draft draft = training(key, order, shape, finished.origin, memory);
  const Flips flips{draws(Operation::flip_vertical).chance(options_.augmentation.flipud),
                    draws(Operation::flip_horizontal).chance(options_.augmentation.fliplr)};
  finish(draft, draws, flips, planes, finished);
  return finished;
}

}  // namespace yolov7::dataset
