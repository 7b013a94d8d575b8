#include "training/marks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "dataset/formats/set_marks.hpp"
#include "training/changed_data.hpp"

namespace yolov7::training {
namespace {

dataset::MarkRule rule_of(const run::SemiOptions& o) {
  return {o.machine_weight == "confidence", o.ignore_regions != "none", o.ignore_regions == "all"};
}

void say_problems(const dataset::SetMarks& marks) {
  if (marks.problems.empty()) return;
  log::warning(
      fmt::format("{} marks of labels are not used: these labels weigh 1", marks.problems.size()));
  for (std::size_t i = 0; i < std::min<std::size_t>(marks.problems.size(), 5); ++i)
    log::warning("  " + text_of(marks.problems[i]));
}

void say_marks(const dataset::MarkCounts& counts, const run::SemiOptions& o) {
  if (counts.machine + counts.ignored > 0)
    log::info(fmt::format(
        "marks: {} labels of a network, mean weight {:.3f} ({} {}); {} ignored regions ({} {}); in "
        "{} images",
        counts.machine, counts.machine > 0 ? counts.mean_weight : 1, setting_name("machine-weight"),
        o.machine_weight, counts.ignored, setting_name("ignore-regions"), o.ignore_regions,
        counts.images));
  if (counts.unused > 0)
    log::info(fmt::format("marks: {} crowd and ignored regions count as background ({} {})",
                          counts.unused, setting_name("ignore-regions"), o.ignore_regions));
}

std::shared_ptr<const std::vector<bool>> drawn_of(const dataset::SetMarks& marks,
                                                  const dataset::MarkCounts& counts,
                                                  const run::TrainOptions& o) {
  const std::size_t images = marks.images.size();
  const double share = o.semi.synthetic_share;
  if (share < 0) {
    if (counts.drawn > 0)
      log::info(
          fmt::format("{} of {} training images are drawn; they come as they are ({} sets "
                      "their share of every batch)",
                      counts.drawn, images, setting_name("synthetic-share")));
    return nullptr;
  }
  if ((share > 0 && counts.drawn == 0) || (share < 1 && counts.drawn == images))
    throw Error(fmt::format(
        "{} {}: expected images with the tag origin: drawn (dataset synth --from), and others, in "
        "the train split of {}, found {} of {}",
        setting_name("synthetic-share"), text::general(share), o.data, counts.drawn, images));
  auto drawn = std::make_shared<std::vector<bool>>();
  for (const dataset::ImageMarks& image : marks.images) drawn->push_back(image.drawn);
  log::info(fmt::format("{} of {} training images are drawn; every batch has a share of {} ({})",
                        counts.drawn, images, text::general(share),
                        setting_name("synthetic-share")));
  return drawn;
}

/// Of what the training uses; "": nothing is marked. `weights`: their identity.
std::string hash_of(const std::string& weights, const std::vector<bool>* drawn) {
  std::string all = weights;
  if (drawn != nullptr)
    for (const bool one : *drawn) all += one ? '1' : '0';
  return all.empty() ? all : file::content_hash(all);
}

}  // namespace

TrainMarks take_marks(const dataset::Index& train, const dataset::Description& description,
                      run::RunState& state, bool resumed) {
  const run::TrainOptions& o = state.options;
  const dataset::SetMarks marks = dataset::read_marks(description, train);
  say_problems(marks);
  const dataset::MarkRule rule = rule_of(o.semi);
  const dataset::MarkCounts counts = dataset::count_marks(marks, rule);
  say_marks(counts, o.semi);
  TrainMarks taken;
  taken.drawn = drawn_of(marks, counts, o);
  auto weights = std::make_shared<std::vector<dataset::LabelWeights>>();
  for (const dataset::ImageMarks& image : marks.images)
    weights->push_back(dataset::weights_of(image, rule));
  const std::string identity = dataset::identity(*weights);
  if (!identity.empty()) taken.weights = std::move(weights);
  const std::string hash = hash_of(identity, taken.drawn.get());
  if (resumed && hash != state.marks_hash)
    accept_change(state,
                  o.data +
                      ": the marks of its train split (origin, score, ignored regions) are "
                      "not those this run began with",
                  "the marks of the train split changed since this run began");
  state.marks_hash = hash;
  return taken;
}

}  // namespace yolov7::training
