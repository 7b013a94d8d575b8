// yolov7 active select --weights W --source POOL --labelled DATA --budget 50 --out DIR
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "active/selection.hpp"
#include "cli/verb.hpp"
#include "cli/verbs/active_candidates.hpp"
#include "cli/verbs/active_choice.hpp"
#include "cli/verbs/active_labelled.hpp"
#include "cli/verbs/active_pool.hpp"
#include "cli/verbs/predictions_file.hpp"
#include "cli/verbs/server_access.hpp"
#include "core/file.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "dataset/formats/output_folder.hpp"
#include "image/codec/codec.hpp"
#include "image/drawing/contact_sheet.hpp"
#include "loop/tasks.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct ActiveOptions : ChoiceOptions {
  ActiveOptions() {
    model.weights = {"yolov7.pt"};
    look.nms.conf_thres = static_cast<float>(active::least_confidence);
  }
  api::ModelOptions model;
  runtime::LookOptions look;
  std::string source, labelled, out;
};

Settings settings(ActiveOptions& o) {
  return {"active select",
          joined({group("Pool",
                        {setting("source", o.source,
                                 "the images to choose from: a folder, a pattern, or a list")
                             .positional()
                             .basic(),
                         setting("labelled", o.labelled,
                                 "the data set that is labelled already, any format; the images of "
                                 "its train split are not chosen again")
                             .basic(),
                         setting("out", o.out,
                                 "new or empty folder for selected.txt, selection.csv, "
                                 "predictions.json and sheets/")
                             .basic()}),
                  choice_settings(o), runtime::settings(o.look), api::settings(o.model)})};
}

const char* part_name(active::Choice::Part part) {
  switch (part) {
    case active::Choice::Part::strategy: return "strategy";
    case active::Choice::Part::control: return "control";
    case active::Choice::Part::empty: return "empty";
  }
  return "";
}

std::string selection_csv(const active::Selection& selection, const Pool& pool) {
  std::string out = "order,image,part,expected_boxes,share_of_budget,reason\n";
  std::size_t order = 0;
  for (const active::Choice& one : selection.choices)
    out += fmt::format("{},{},{},{},{},{}\n", ++order,
                       text::csv(pool.images[one.index].path.string()), part_name(one.part),
                       text::general(one.boxes), text::general(one.share), text::csv(one.why));
  return out;
}

std::vector<const PoolImage*> chosen_images(const active::Selection& selection, const Pool& pool) {
  std::vector<const PoolImage*> images;
  for (const active::Choice& one : selection.choices) images.push_back(&pool.images[one.index]);
  return images;
}

void write_sheets(const active::Selection& selection, const Pool& pool,
                  const std::vector<std::string>& names, const fs::path& folder) {
  constexpr int side = 640;
  const auto picture = [&](std::size_t i) {
    const PoolImage& image = pool.images[selection.choices[i].index];
    SheetPicture one;
    one.picture = read_reduced_picture(image.path, side).bgr;
    one.caption = fmt::format("{} {}", i + 1, image.path.filename().string());
    const double x = static_cast<double>(one.picture.cols) / image.width,
                 y = static_cast<double>(one.picture.rows) / image.height;
    for (Detection box : image.detections) {
      if (box.score < active::counted_confidence) continue;
      box.box = {box.box.x1 * x, box.box.y1 * y, box.box.x2 * x, box.box.y2 * y};
      one.detections.push_back(box);
    }
    return one;
  };
  write_contact_sheets(folder, selection.choices.size(), picture, names, {}, interrupt::token());
}

void require_options(const ActiveOptions& o) {
  if (o.source.empty())
    throw usage_error(
        "active select: expected --source with the images to choose from, found none");
  if (o.out.empty())
    throw usage_error("active select: expected --out with the folder to write, found none");
  if (!(o.select.budget.amount > 0))
    throw usage_error("active select: expected --budget above 0, found none");
  dataset::require_empty(o.out);
  api::require_weights(o.model.weights);
}

/// Errors: NothingLeft; a budget that no image fits in.
void require_choice(const ActiveOptions& o, const active::Selection& selection, const Pool& pool,
                    const std::vector<active::Candidate>& candidates) {
  if (!selection.choices.empty()) return;
  const std::string why = fmt::format(
      "{}: nothing was chosen: {} images, {} of them show what a labelled "
      "image shows, {} unreadable, and a budget of {} {}",
      o.source, pool.images.size(), selection.known, pool.unreadable.size(),
      text::general(o.select.budget.amount), o.unit);
  const bool fits =
      std::any_of(candidates.begin(), candidates.end(), [&](const active::Candidate& one) {
        const double boxes = selection.boxes_factor * static_cast<double>(one.scores.boxes());
        return o.select.budget.holds(o.select.budget.share_of(boxes, o.select.cost));
      });
  if (selection.considered > 0 && !fits) throw Error(why);
  throw loop::NothingLeft(why);
}

json result_json(const ActiveOptions& o, const active::Selection& selection, const Pool& pool) {
  json chosen = json::array();
  for (const active::Choice& one : selection.choices)
    chosen.push_back({{"image", pool.images[one.index].path.string()},
                      {"part", part_name(one.part)},
                      {"expected_boxes", one.boxes},
                      {"share_of_budget", one.share},
                      {"reason", one.why}});
  return {{"strategy", o.select.strategy},
          {"phases", selection.phases},
          {"boxes_factor", selection.boxes_factor},
          {"seed", o.seed},
          {"budget", o.select.budget.amount},
          {"budget_unit", o.unit},
          {"spent", selection.spent},
          {"images_in_pool", pool.images.size()},
          {"unreadable", pool.unreadable},
          {"shown_by_labelled_images", selection.known},
          {"shown_by_chosen_images", selection.alike},
          {"chosen", std::move(chosen)},
          {"out", o.out}};
}

void say(const ActiveOptions& o, const active::Selection& selection, const Pool& pool,
         const Labelled& labelled, Output& output) {
  for (const std::string& name : labelled.strange_classes)
    log::warning(
        fmt::format("the labelled set has a class that the model does not know: '{}'; its "
                    "boxes do not count",
                    text::printable(name)));
  std::array<std::size_t, 3> parts{};
  double boxes = 0;
  for (const active::Choice& one : selection.choices) {
    ++parts[static_cast<std::size_t>(one.part)];
    boxes += one.boxes;
  }
  output.line(
      fmt::format("{} images in the pool, {} unreadable; {} show what a labelled image shows",
                  pool.images.size(), pool.unreadable.size(), selection.known));
  output.line(fmt::format(
      "chosen: {} images with {} expected boxes: {} by {}{}, {} at random (control), {} at random "
      "among those in which nothing was found; {} passed over that show what a chosen one shows",
      selection.choices.size(), text::general(boxes), parts[0], o.select.strategy,
      selection.phases.empty() ? "" : " (" + selection.phases + ")", parts[1], parts[2],
      selection.alike));
  if (selection.boxes_factor > 1)
    output.line(fmt::format(
        "expected boxes: {:.2f} for each detection, by the labelled images, which have more boxes "
        "than the detector finds in the pool",
        selection.boxes_factor));
  output.line(fmt::format("spent: {} of {} {}", text::general(selection.spent),
                          text::general(o.select.budget.amount), o.unit));
  output.line(fmt::format("written: {}", (fs::path(o.out) / "selected.txt").string()));
}

}  // namespace

json run_active_select(const std::vector<std::string>& arguments, Output& output) {
  ActiveOptions o;
  if (!parse_arguments(settings(o), arguments, output)) return {};
  require_options(o);
  o.select.budget.unit = active::budget_unit(o.unit);
  o.select.seed = static_cast<std::uint64_t>(o.seed);
  auto pictures = runtime::list_pictures(o.source);
  const std::vector<std::string> unnamable = take_unnamable(pictures, "predictions.json");
  take_server_access(o.model);
  o.model.detector.streams = std::max(1, std::min(usable_cores(), 16));
  api::OpenModel model = api::open_detector(o.model);
  o.look.image_size = api::usable_image_size(o.look.image_size, *model.detector);
  o.look.stop = interrupt::token();
  Labelled labelled = read_labelled(o.labelled, model.names);

  PoolOptions looking;
  looking.look = o.look;
  looking.mirrored = o.select.strategy == "disagreement";
  Pool pool = look_at_pool(pictures, pool_workers(model), looking);
  pool.unreadable.insert(pool.unreadable.end(), unnamable.begin(), unnamable.end());
  for (const std::string& one : pool.unreadable) log::error("unreadable: " + one);
  if (!pool.unreadable.empty()) output.code = ExitCode::failure;
  const std::vector<active::Candidate> candidates =
      candidates_of(pool, labelled, model.names.size(), o.keep_similar);
  o.select.labelled_boxes = labelled.boxes;
  o.select.labelled = std::move(labelled.features);
  const active::Selection selection = active::select(candidates, o.select);
  require_choice(o, selection, pool, candidates);
  const json result = result_json(o, selection, pool);
  dataset::build_folder(o.out, [&](const fs::path& folder) {
    std::string list;
    for (const active::Choice& one : selection.choices)
      list += fs::absolute(pool.images[one.index].path).lexically_normal().string() + "\n";
    file::write_atomically(folder / "selected.txt", list, file::Sync::later);
    file::write_atomically(folder / "selection.csv", selection_csv(selection, pool),
                           file::Sync::later);
    file::write_atomically(folder / "selection.json", json_text(result, 1) + "\n",
                           file::Sync::later);
    file::write_atomically(folder / "predictions.json",
                           json_text(predictions_json(chosen_images(selection, pool), model.names,
                                                      active::counted_confidence)) +
                               "\n",
                           file::Sync::later);
    write_sheets(selection, pool, model.names, folder / "sheets");
  });
  say(o, selection, pool, labelled, output);
  return result;
}

}  // namespace yolov7::cli
