#include "cli/verbs/simulate_pool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "cli/verbs/active_candidates.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/progress.hpp"
#include "core/stop.hpp"
#include "core/threads.hpp"
#include "dataset/formats/open_data.hpp"
#include "dataset/formats/output_folder.hpp"
#include "dataset/index/read_index.hpp"

namespace yolov7::cli {
namespace {

Labelled labelled_images(const dataset::Index& index,
                         const std::vector<dataset::similarity::Sketch>& sketches,
                         const std::vector<std::size_t>& images) {
  Labelled labelled;
  labelled.boxes.assign(index.names.size(), 0);
  std::vector<int> same(index.names.size());
  std::iota(same.begin(), same.end(), 0);
  for (const std::size_t i : images) add_labelled(labelled, index.entries[i], sketches[i], same);
  return labelled;
}

Pool unseen_pool(const dataset::Index& index, const std::vector<std::size_t>& images) {
  Pool pool;
  for (const std::size_t i : images) {
    PoolImage& one = pool.images.emplace_back();
    one.path = index.entries[i].picture;
    one.width = index.entries[i].width, one.height = index.entries[i].height;
  }
  return pool;
}

void add_sketches(Pool& pool, const std::vector<dataset::similarity::Sketch>& sketches,
                  const std::vector<std::size_t>& images) {
  for (std::size_t i = 0; i < images.size(); ++i)
    pool.images[i].sketch = std::make_unique<dataset::similarity::Sketch>(sketches[images[i]]);
}

Pool look_at(const dataset::Index& index, const std::vector<std::size_t>& images,
             const std::filesystem::path& weights, int image_size, bool mirrored) {
  std::vector<runtime::SourcePicture> pictures;
  for (const std::size_t i : images)
    pictures.push_back({index.entries[i].picture, index.entries[i].picture.filename()});
  api::ModelOptions model;
  model.weights = {weights.string()};
  model.detector.streams = std::max(1, std::min(usable_cores(), 16));
  api::OpenModel open = api::open_detector(model);
  PoolOptions looking;
  looking.look.nms.conf_thres = static_cast<float>(active::least_confidence);
  looking.look.image_size = api::usable_image_size(image_size, *open.detector);
  looking.look.stop = interrupt::token();
  looking.mirrored = mirrored;
  looking.sketches = false;  // they are known
  Pool pool = look_at_pool(pictures, pool_workers(open), looking);
  if (!pool.unreadable.empty())
    throw Error(
        fmt::format("active simulate: {} images of the pool cannot be used, the first is {}",
                    pool.unreadable.size(), pool.unreadable.front()));
  return pool;
}

}  // namespace

SimulatedPool::SimulatedPool(const SimulateOptions& options) : o_(options) {
  const dataset::Description description = dataset::open_data(
      o_.data, {.recheck = false, .strict = false, .threads = 0, .stop = interrupt::token()});
  dataset::require_outside(o_.out, description);
  split_ = o_.split != "auto" ? o_.split : description.split("test").empty() ? "val" : "test";
  if (description.split("train").empty() || description.split(split_).empty())
    throw Error(
        fmt::format("{}: expected a train split, which is the pool, and a {} split, on "
                    "which detectors are measured",
                    o_.data, split_));
  dataset::IndexOptions reading;
  reading.training = true;
  reading.stop = interrupt::token();
  index_ = dataset::read_index(description, "train", reading);
  measured_ = dataset::read_index(description, split_, reading);
  sketches_.resize(index_.entries.size());
  Progress progress("reading the pool", sketches_.size(), "images");
  parallel_for(sketches_.size(), usable_cores(), [&](std::size_t i) {
    check_stop(interrupt::token());
    sketches_[i] = dataset::similarity::read_sketch(index_.entries[i].picture);
    progress.advance();
  });
  progress.finish();
}

std::vector<std::size_t> SimulatedPool::rest(const std::vector<std::size_t>& labelled) const {
  std::vector<bool> taken(index_.entries.size(), false);
  for (const std::size_t i : labelled) taken[i] = true;
  std::vector<std::size_t> others;
  for (std::size_t i = 0; i < taken.size(); ++i)
    if (!taken[i]) others.push_back(i);
  return others;
}

std::vector<std::size_t> SimulatedPool::paid_for(const std::vector<std::size_t>& images,
                                                 double budget) const {
  std::vector<std::size_t> counts;
  for (const std::size_t i : images) counts.push_back(boxes(i));
  const active::Payment paid = active::pay(counts, o_.budget_of(budget), o_.select.cost);
  return {images.begin(), images.begin() + static_cast<std::ptrdiff_t>(paid.images)};
}

Bought SimulatedPool::start(int seed) const {
  const std::vector<std::size_t> all = rest({});
  Pool pool = unseen_pool(index_, all);
  add_sketches(pool, sketches_, all);
  const auto candidates = candidates_of(pool, {}, index_.names.size(), false);
  active::SelectOptions select = active::options_of(active::arm_named("random"), o_.select);
  select.budget = {static_cast<double>(all.size()), active::BudgetUnit::images};
  select.seed = active::round_seed(seed, 0);
  std::vector<std::size_t> order;
  for (const active::Choice& one : active::select(candidates, select).choices)
    order.push_back(all[one.index]);
  return {paid_for(order, o_.start), false};
}

Bought SimulatedPool::buy(const active::Arm& arm, int seed, int round,
                          const std::filesystem::path& weights,
                          const std::vector<std::size_t>& labelled, double left) const {
  const std::vector<std::size_t> others = rest(labelled);
  if (others.empty()) return {{}, true};
  Pool pool =
      look_at(index_, others, weights, o_.image_size, std::string(arm.strategy) == "disagreement");
  add_sketches(pool, sketches_, others);
  Labelled known = labelled_images(index_, sketches_, labelled);
  const auto candidates = candidates_of(pool, known, index_.names.size(), arm.keep_similar);
  active::SelectOptions select = active::options_of(arm, o_.select);
  select.budget = o_.budget_of(left);
  select.seed = active::round_seed(seed, round);
  select.labelled_boxes = known.boxes;
  select.labelled = std::move(known.features);
  const active::Selection selection = active::select(candidates, select);
  std::vector<std::size_t> order;
  for (const std::size_t i : active::labelling_order(selection.choices))
    order.push_back(others[selection.choices[i].index]);
  if (!selection.phases.empty())
    log::info(fmt::format("active simulate: {}, round {}: chosen: {}; {:.2f} boxes a detection",
                          arm.name, round, selection.phases, selection.boxes_factor));
  // An image that costs more than is left can be bought in a later round.
  return {paid_for(order, left), selection.choices.empty() && !selection.full};
}

}  // namespace yolov7::cli
