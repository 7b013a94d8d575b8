// yolov7 dataset push | pull label-studio://host:port/project, cvat://host:port/task
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "cli/verbs/platform_source.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "dataset/formats/format_table.hpp"
#include "platforms/cvat.hpp"
#include "platforms/label_studio_pull.hpp"
#include "platforms/label_studio_push.hpp"
#include "platforms/place.hpp"

namespace yolov7::cli {
namespace {

using nlohmann::json;
using platforms::LabelStudio;
using platforms::Place;

constexpr const char* what_place =
    "label-studio://host:port/project (title or number) or cvat://host:port/task";

struct ServerOptions {
  std::vector<std::string> place;
  int tries = http::Tries{}.most, patience = 3600;
};

struct PushVerbOptions : ServerOptions {
  PlatformSource source;
  platforms::PushOptions push;
  bool existing = false;
};

struct PullVerbOptions : ServerOptions {
  std::string to = "yolo", out, images;
  bool merge = false, all = false;
  double iou = 0.5;
};

std::vector<Setting> server_settings(ServerOptions& o) {
  return group("Server",
               {setting("place", o.place, what_place).positional().basic(),
                setting("tries", o.tries,
                        "how often a request is tried when the connection is lost or the server "
                        "answers 408, 429, 500, 502, 503 or 504")
                    .range(1, 100),
                setting("patience", o.patience,
                        "how many seconds to wait until a CVAT server has finished a job")
                    .range(1, 1e6)});
}

Place place_of(const ServerOptions& o, const std::string& verb) {
  if (o.place.size() != 1)
    throw usage_error(
        fmt::format("{}: expected one {}, found {}", verb, what_place, o.place.size()));
  return platforms::parse_place(o.place.front(), {"label-studio", "cvat"}, 1, 1);
}

http::Tries tries_of(const ServerOptions& o) {
  http::Tries tries;
  tries.most = o.tries;
  return tries;
}

LabelStudio connect(const Place& place, const ServerOptions& o) {
  return LabelStudio(
      place.server,
      platforms::find_credential("label-studio", place.server.origin(), {"LABEL_STUDIO_API_KEY"}),
      tries_of(o), interrupt::token());
}

platforms::Cvat connect_cvat(const Place& place, const ServerOptions& o) {
  return platforms::Cvat(place.server, platforms::cvat_credential(place.server),
                         {tries_of(o), std::chrono::seconds(o.patience)}, interrupt::token());
}

json push_label_studio(const Place& place, const PushVerbOptions& o,
                       const dataset::AnnotatedSet& set, Output& output) {
  LabelStudio server = connect(place, o);
  platforms::Journal journal(platforms::journal_file(o.source.journal, o.source.source),
                             place.service + " " + place.server.text() + " " + place.part(0));
  const auto sent = push_set(server, place.part(0), set, o.push, journal);
  output.line(fmt::format(
      "project {} ({}){}: {} tasks made, {} were there; {} files sent, {} were "
      "there; {} annotations and {} pre-labels made",
      sent.project.id, sent.project.title, sent.made_project ? ", new" : "", sent.tasks,
      sent.tasks_known, sent.files, sent.files_known, sent.annotations, sent.predictions));
  if (o.push.predictions && sent.tasks_known > 0)
    output.line(fmt::format("pre-labels of tasks that were there: {} renewed, {} unchanged",
                            sent.predictions_renewed, sent.predictions_unchanged));
  if (sent.annotations_not_sent > 0)
    log::warning(
        fmt::format("annotations of {} tasks that were there are not sent: people may have "
                    "changed them",
                    sent.annotations_not_sent));
  for (const std::string& image : sent.doubles)
    log::warning(fmt::format("{}: the project has more than one task of it", image));
  return {{"project", sent.project.id},
          {"title", sent.project.title},
          {"made_project", sent.made_project},
          {"tasks", sent.tasks},
          {"tasks_known", sent.tasks_known},
          {"files", sent.files},
          {"files_known", sent.files_known},
          {"annotations", sent.annotations},
          {"predictions", sent.predictions},
          {"predictions_renewed", sent.predictions_renewed},
          {"predictions_unchanged", sent.predictions_unchanged},
          {"annotations_not_sent", sent.annotations_not_sent},
          {"doubles", sent.doubles}};
}

void say_agreement(const platforms::PullResult& got, const Output& output) {
  if (got.review.empty()) return;
  platforms::AgreementCount all;
  for (const platforms::ReviewEntry& one : got.review) all.add(one.agreement.count);
  output.line(
      fmt::format("{} tasks of several people: agreement {:.3f}, mean IoU of agreed boxes {:.3f}",
                  got.review.size(), all.value(), all.mean_iou()));
  for (std::size_t i = 0; i < got.per_class.size(); ++i)
    if (got.per_class[i].boxes > 0)
      output.line(fmt::format("  {}: {:.3f}", got.class_names[i], got.per_class[i].value()));
  std::size_t shown = 0;
  constexpr std::size_t most_shown = 10;
  for (const platforms::ReviewEntry& one : got.review) {
    if (one.agreement.count.value() >= 1 && one.reasons.empty()) continue;
    if (shown++ == most_shown) {
      output.line("  … (all stand in pull.json)");
      break;
    }
    output.line(fmt::format("  review task {} ({}): agreement {:.3f}; {}", one.task, one.image,
                            one.agreement.count.value(), text::join(one.reasons, "; ")));
  }
}

json pull_label_studio(const Place& place, const PullVerbOptions& o, Output& output) {
  LabelStudio server = connect(place, o);
  platforms::PullOptions options;
  options.to = o.to;
  options.out = o.out;
  options.images = o.images;
  options.merge = o.merge;
  options.all = o.all;
  options.least_iou = o.iou;
  const auto got = pull_project(server, place.part(0), options);
  output.line(fmt::format(
      "project {} ({}): {} tasks: {} with boxes, {} without objects, {} skipped, "
      "{} not annotated{}",
      got.project.id, got.project.title, got.tasks, got.with_boxes, got.empty, got.skipped,
      got.not_annotated,
      o.all || got.not_annotated + got.skipped == 0 ? "" : " (the last two are left out)"));
  say_agreement(got, output);
  if (!o.merge && !got.review.empty())
    output.line("the newest annotation of each task is taken; --merge joins them by box");
  if (got.left_out_by_merge > 0)
    log::warning(fmt::format("{} boxes that no majority drew are left out (pull.json names them)",
                             got.left_out_by_merge));
  if (got.edits.all() > 0)
    output.line(
        fmt::format("pre-labels: {} kept, {} moved, {} relabelled, {} removed, {} added: "
                    "{:.1f} % touched",
                    got.edits.kept, got.edits.moved, got.edits.relabelled, got.edits.removed,
                    got.edits.added, 100 * got.edits.touched()));
  for (const std::string& line : dataset::summary_lines(got.conversion)) output.line(line);
  output.line(fmt::format("written: {}", o.out));
  return platforms::to_json(got);
}

std::vector<Setting> push_settings(PushVerbOptions& o) {
  return group("Labels",
               {setting("pre-labels", o.push.predictions,
                        "send the objects as predictions, which people correct (Label Studio)")
                    .basic(),
                setting("model", o.push.model,
                        "name of the model that is stored with the pre-labels (Label Studio)")
                    .basic(),
                setting("existing", o.existing,
                        "do not make a project; fail if it does not exist (Label Studio)")});
}

std::vector<Setting> pull_settings(PullVerbOptions& o) {
  return group(
      "Output",
      {setting("to", o.to, "format to write: " + text::join(dataset::writable_names(), ", "))
           .basic(),
       setting("out", o.out, "folder to write: new or empty").basic(),
       setting("images", o.images,
               "folder with the images; what it lacks is fetched from a Label Studio server, and "
               "left out by name with CVAT, which then sends no images")
           .basic(),
       setting("merge", o.merge,
               "Label Studio: boxes that more than half of the people drew, at the mean of their "
               "places; without it the newest annotation is taken")
           .basic(),
       setting("iou", o.iou,
               "Label Studio: boxes of two people are one object from this overlap on")
           .range(0.01, 1),
       setting("all", o.all, "Label Studio: tasks that nobody has annotated, too")});
}

/// Options that the service has no use for are wrong calls, so that nobody relies on them.
void refuse_of_others(const Place& place, const std::string& verb,
                      const std::vector<std::string>& given,
                      const std::vector<std::string>& of_label_studio) {
  const std::vector<std::string> of_others =
      place.service == "cvat" ? of_label_studio : std::vector<std::string>{"patience"};
  for (const std::string& name : given)
    if (text::contains(of_others, name))
      throw usage_error(fmt::format(
          "{}: --{}: expected {}, found {}", verb, name,
          place.service == "cvat" ? "a Label Studio server" : "a CVAT server", place.service));
}

}  // namespace

json run_dataset_push(const std::vector<std::string>& arguments, Output& output) {
  PushVerbOptions o;
  const Settings settings{
      "dataset push", joined({server_settings(o), source_settings(o.source), push_settings(o)})};
  if (!parse_arguments(settings, arguments, output)) return {};
  const Place place = place_of(o, "dataset push");
  refuse_of_others(place, "dataset push", given_names(settings, arguments),
                   {"existing", "model", "journal"});
  if (!o.push.predictions && text::contains(given_names(settings, arguments), "model"))
    throw usage_error(
        "dataset push: --model: expected --pre-labels, with which it is stored, found none");
  o.push.make_project = !o.existing;
  dataset::Conversion account;
  const dataset::AnnotatedSet set = read_source(o.source, "dataset push", account);
  for (const std::string& line : dataset::summary_lines(account)) output.line(line);
  json result;
  if (place.service == "cvat") {
    if (o.push.predictions)
      throw usage_error("dataset push: --pre-labels: CVAT knows no predictions beside annotations");
    platforms::Cvat server = connect_cvat(place, o);
    const auto sent = platforms::push_set(server, place.part(0), set);
    output.line(fmt::format("task {} ({}): {} images and {} objects sent", sent.task, place.part(0),
                            sent.images, sent.objects));
    for (const dataset::ConversionLoss& loss : sent.losses)
      log::warning(fmt::format("{} of {}: {}", loss.count, loss.what,
                               loss.where.empty() ? "lost" : "goes to an " + loss.where));
    result = {{"task", sent.task}, {"images", sent.images}, {"objects", sent.objects}};
  } else {
    result = push_label_studio(place, o, set, output);
  }
  result["source"] = dataset::to_json(account);
  return result;
}

json run_dataset_pull(const std::vector<std::string>& arguments, Output& output) {
  PullVerbOptions o;
  const Settings settings{"dataset pull", joined({server_settings(o), pull_settings(o)})};
  if (!parse_arguments(settings, arguments, output)) return {};
  const Place place = place_of(o, "dataset pull");
  refuse_of_others(place, "dataset pull", given_names(settings, arguments),
                   {"merge", "iou", "all"});
  if (o.out.empty())
    throw usage_error("dataset pull: expected --out with the folder to write, found none");
  if (place.service == "label-studio") return pull_label_studio(place, o, output);
  platforms::Cvat server = connect_cvat(place, o);
  const auto conversion = platforms::pull_task(server, place.part(0), {o.to, o.out, o.images});
  for (const std::string& line : dataset::summary_lines(conversion)) output.line(line);
  output.line(fmt::format("written: {}", o.out));
  return dataset::to_json(conversion);
}

}  // namespace yolov7::cli
