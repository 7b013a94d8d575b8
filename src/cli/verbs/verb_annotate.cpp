// yolov7 annotate --teacher T --source IMAGES --labelled DATA --out DIR
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/verb.hpp"
#include "cli/verbs/annotate_classes.hpp"
#include "cli/verbs/annotate_files.hpp"
#include "cli/verbs/annotate_labelled.hpp"
#include "cli/verbs/annotate_options.hpp"
#include "cli/verbs/annotate_source.hpp"
#include "cli/verbs/annotate_tracks.hpp"
#include "cli/verbs/server_access.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "dataset/formats/output_folder.hpp"

namespace yolov7::cli {
namespace {

using active::ClassRule;
using active::ImageVerdict;
using nlohmann::json;

/// One run, in the order of its steps.
class Annotation {
 public:
  Annotation(AnnotateOptions& options, Output& output) : o_(options), output_(output) {}
  json execute(const std::vector<std::string>& given);

 private:
  void open(const std::vector<std::string>& given);
  void read_labels();
  void choose_classes();
  void choose_thresholds();
  void require_a_class() const;
  void require_frames(const std::vector<std::string>& given) const;
  void read_videos();
  void look();
  void fill_gaps();
  json report() const;
  json classes_json() const;
  json labelled_json() const;
  void say_classes() const;
  void say_result(const dataset::Conversion& account, const json& result);

  AnnotateOptions& o_;
  Output& output_;
  api::OpenModel model_;
  Workers workers_;
  std::string detector_;
  PoolOptions looking_;
  LabelledSplit split_;
  AnnotateSource source_;
  AnnotateClasses classes_;
  LabelledLook labelled_;
  CompleteImages complete_;
  bool looks_at_frames_alone_ = false;  ///< of videos: the set has hard links to frames/
  std::vector<std::string> unreadable_;
  std::optional<VideoImages> frames_;
  std::optional<LinkedFrames> linked_;
  MachineLabels labels_;
};

void Annotation::open(const std::vector<std::string>& given) {
  if (!o_.fused() && !text::contains(given, "nms")) o_.look.nms.kind = NmsKind::hard;
  o_.model.detector.streams = std::max(1, std::min(usable_cores(), 16));
  model_ = api::open_detector(o_.model);
  if (o_.doubt.doubt < model_.file_conf_thres)
    throw usage_error(
        fmt::format("{} {}: {} gives nothing below {}; raise it, or export the model again",
                    setting_name("doubt"), text::general(o_.doubt.doubt), model_.path,
                    text::general(model_.file_conf_thres)));
  api::require_agreement(model_, o_.look.image_size, o_.look.nms, given);
  o_.look.image_size = api::usable_image_size(o_.look.image_size, *model_.detector);
  detector_ = model_.detector->description();
  for (const std::string& teacher : o_.model.weights)
    labels_.teacher += (labels_.teacher.empty() ? "" : "+") + model_fingerprint(teacher);
}

void Annotation::read_labels() {
  if (!o_.labelled.empty()) {
    split_ = read_labelled_split(o_.labelled, o_.labelled_split);
    if (!model_.dataset_identity.empty() && split_.index.identity == model_.dataset_identity)
      throw Error(fmt::format(
          "{} {}: expected images that the teacher has not seen, found those that {} was trained "
          "on; precision on them says nothing about others",
          setting_name("labelled"), o_.labelled, model_.path));
    if (split_.val_is_train)
      log::warning(
          fmt::format("{}: the set has no validation images of its own: if the teacher "
                      "was trained on it, its precision is overrated",
                      o_.labelled));
  }
  source_ = annotate_source(o_.source, split_.paths);
  dataset::require_outside(o_.out, source_.folders);
}

void Annotation::choose_classes() {
  const bool by_labels = !split_.names.empty();
  classes_ = annotate_classes(model_.names, o_.map, by_labels ? split_.names : source_.names,
                              by_labels ? o_.labelled : o_.source, o_.drop_unknown);
  labels_.names = classes_.names;
  for (const std::string& name : classes_.untaught)
    log::warning(
        fmt::format("the teacher does not know the class '{}': no object of it is "
                    "annotated, in complete images neither",
                    text::printable(name)));
}

void Annotation::choose_thresholds() {
  const std::vector<double> given =
      o_.conf.empty() ? std::vector<double>() : given_thresholds(o_.conf, labels_.names);
  double lowest = o_.doubt.doubt;
  for (const double one : given)
    if (one >= 0) lowest = std::min(lowest, one);
  // Detections at a threshold count, and suppression keeps what exceeds its own.
  o_.look.nms.conf_thres = std::nextafter(static_cast<float>(lowest), 0.0f);
  o_.look.stop = interrupt::token();
  looking_.look = o_.look;
  looking_.sketches = false;
  workers_ = pool_workers(model_);
  o_.promise.lowest = o_.doubt.doubt;
  if (!o_.labelled.empty()) labelled_ = look_at_labelled(split_, classes_, workers_, looking_);
  labels_.rules = given.empty()
                      ? active::choose_rules(labelled_.outcomes, labelled_.objects, o_.promise)
                      : active::rules_at(given, labelled_.outcomes, labelled_.objects, o_.promise);
  for (std::size_t k = 0; k < labels_.rules.size(); ++k)
    if (text::contains(classes_.untaught, labels_.names[k])) {
      labels_.rules[k].annotated = false;
      labels_.rules[k].reason = "the teacher does not know it";
    }
  complete_ = judge_labelled(labelled_, labels_.rules, o_.doubt);
}

void Annotation::require_a_class() const {
  std::string reasons;
  for (std::size_t k = 0; k < labels_.rules.size(); ++k) {
    if (labels_.rules[k].annotated) return;
    reasons += fmt::format("{}{}: {}", k == 0 ? "" : "; ", text::printable(labels_.names[k]),
                           labels_.rules[k].reason);
  }
  throw Error(fmt::format(
      "annotate: expected a class whose precision is at least {} with "
      "confidence {}, found none: {}",
      text::general(o_.promise.precision), text::general(o_.promise.confidence), reasons));
}

/// Options of tracks have an effect on frames alone.
void Annotation::require_frames(const std::vector<std::string>& given) const {
  const auto refuse = [&](const char* name, const char* wanted) {
    if (text::contains(given, name))
      throw usage_error(fmt::format("annotate: {}: expected {}, found images alone in {}",
                                    setting_name(name), wanted, o_.source));
  };
  if (!source_.videos.empty()) return;
  refuse("vid-stride", "videos");
  if (o_.sequence) return;
  const std::string frames = "videos, or images that are frames with " + setting_name("sequence");
  refuse("max-gap", frames.c_str());
  refuse("gap-boxes", frames.c_str());
}

void Annotation::read_videos() {
  if (o_.sequence) labels_.places = places_in_folders(source_.all_images);
  if (source_.videos.empty()) return;
  std::size_t videos = 0;  // before those that are read now
  for (const auto& [path, place] : labels_.places) videos = std::max(videos, place.video + 1);
  frames_.emplace(o_.out);
  VideoImages::Read read = frames_->read(source_.videos, o_.vid_stride);
  for (auto& [path, place] : read.places)
    labels_.places[path] = {videos + place.video, place.number};
  looks_at_frames_alone_ = source_.pictures.empty();
  source_.pictures.insert(source_.pictures.end(), read.pictures.begin(), read.pictures.end());
  unreadable_ = std::move(read.faults);
  if (source_.pictures.empty())
    throw Error(fmt::format("{}: expected frames, found none: {}", o_.source,
                            unreadable_.empty() ? "the videos are empty" : unreadable_.front()));
  labels_.frames = &*frames_;
}

/// Boxes that tracks fill in stand behind the detections of their image.
void Annotation::fill_gaps() {
  if (labels_.places.empty()) return;
  linked_ = link_frames(labels_.images, labels_.places, labels_.rules, o_.doubt.doubt, o_.gaps);
  for (std::size_t i = 0; i < labels_.images.size(); ++i) {
    std::vector<Detection>& detections = labels_.images[i].detections;
    active::JudgedImage& judged = labels_.judged[i];
    labels_.filled_from.push_back(detections.size());
    for (const Detection& box : linked_->filled[i]) {
      if (o_.fills_as_labels())
        judged.labels.push_back(detections.size());
      else
        ++judged.doubtful;
      detections.push_back(box);
    }
    active::settle(judged, o_.doubt);
  }
}

void Annotation::look() {
  looking_.thumbnails = !labels_.places.empty();
  const std::vector<std::string> unnamable = take_unnamable(source_.pictures, "review.json");
  unreadable_.insert(unreadable_.end(), unnamable.begin(), unnamable.end());
  Pool pool = look_at_pool(source_.pictures, workers_, looking_);
  unreadable_.insert(unreadable_.end(), pool.unreadable.begin(), pool.unreadable.end());
  labels_.images = std::move(pool.images);
  labels_.doubt = o_.doubt.doubt;
  for (PoolImage& image : labels_.images) {
    image.detections = renamed(image.detections, classes_, o_.look.nms.iou_thres);
    labels_.judged.push_back(active::judge(image.detections, labels_.rules, o_.doubt));
  }
  fill_gaps();
}

json Annotation::classes_json() const {
  std::vector<std::size_t> written(labels_.names.size(), 0);
  for (std::size_t i = 0; i < labels_.images.size(); ++i)
    if (labels_.judged[i].verdict == ImageVerdict::complete)
      for (const std::size_t k : labels_.judged[i].labels)
        ++written[static_cast<std::size_t>(labels_.images[i].detections[k].class_index)];
  json list = json::array();
  for (std::size_t k = 0; k < labels_.rules.size(); ++k) {
    const ClassRule& rule = labels_.rules[k];
    json one = {{"name", labels_.names[k]}, {"annotated", rule.annotated}, {"boxes", written[k]}};
    if (rule.annotated) one["threshold"] = rule.threshold;
    if (!rule.reason.empty()) one["reason"] = rule.reason;
    if (rule.measured)
      one["measured"] = {{"threshold", rule.threshold},
                         {"detections", rule.boxes},
                         {"correct", rule.correct},
                         {"objects", rule.objects},
                         {"precision", rule.precision()},
                         {"bound", rule.bound},
                         {"bound_confidence", rule.confidence},
                         {"recall", rule.recall()}};
    list.push_back(std::move(one));
  }
  return list;
}

json Annotation::labelled_json() const {
  const CompleteImages& c = complete_;
  return {{"data", o_.labelled},
          {"split", o_.labelled_split},
          {"images", c.images},
          {"without_labels", split_.unlabelled},
          {"unreadable", labelled_.unreadable},
          {"complete", c.complete},
          {"doubtful", c.doubtful},
          {"empty", c.empty},
          {"labels_of_complete", c.labels},
          {"correct_of_complete", c.correct},
          {"objects_of_complete", c.objects},
          {"objects_of_empty", c.objects_in_empty}};
}

json Annotation::report() const {
  json all = {{"source", o_.source},
              {"out", o_.out},
              {"to", o_.to},
              {"teachers", o_.model.weights},
              {"teacher_sha256", labels_.teacher},
              {"detector", detector_},
              {"suppression", nms_kind_name(o_.look.nms.kind)},
              {"img_size", o_.look.image_size},
              {"precision_measured", !o_.labelled.empty()},
              {"doubt", o_.doubt.doubt},
              {"doubt_share", o_.doubt.tolerated},
              {"classes_left_out", classes_.left_out},
              {"classes", classes_json()},
              {"images",
               {{"labelled_already", source_.labelled},
                {"labels_unreadable", source_.unusable},
                {"unreadable", unreadable_},
                {"looked_at", labels_.images.size()},
                {"complete", labels_.count(ImageVerdict::complete)},
                {"doubtful", labels_.count(ImageVerdict::doubtful)},
                {"empty", labels_.count(ImageVerdict::empty)},
                {"doubtful_boxes_of_complete", labels_.tolerated()}}}};
  if (linked_) {
    all["tracks"] = to_json(*linked_);
    all["tracks"]["filled_boxes_are"] = o_.gap_boxes;
    all["tracks"]["precision_promised"] = false;
  }
  if (!o_.labelled.empty()) {
    all["min_precision"] = o_.promise.precision;
    all["confidence"] = o_.promise.confidence;
    all["labelled"] = labelled_json();
  }
  return all;
}

void Annotation::say_classes() const {
  for (std::size_t k = 0; k < labels_.rules.size(); ++k) {
    const ClassRule& rule = labels_.rules[k];
    const std::string name = text::printable(labels_.names[k]);
    if (!rule.annotated)
      output_.line(fmt::format("  {}: not annotated: {}", name, rule.reason));
    else if (!rule.measured)
      output_.line(fmt::format("  {}: from {}, precision not measured", name,
                               text::general(rule.threshold)));
    else
      output_.line(fmt::format(
          "  {}: from {}, {} of {} right ({:.3f}, at least {:.3f}), {:.3f} of {} objects found",
          name, text::general(rule.threshold), rule.correct, rule.boxes, rule.precision(),
          rule.bound, rule.recall(), rule.objects));
  }
}

void Annotation::say_result(const dataset::Conversion& account, const json& result) {
  for (const std::vector<std::string>* list : {&labelled_.unreadable, &unreadable_})
    for (const std::string& one : *list) {
      log::error("unreadable: " + one);
      output_.code = ExitCode::failure;
    }
  if (!classes_.left_out.empty())
    output_.line("classes of the teacher that are left out: " +
                 text::printable(text::join(classes_.left_out, ", ")));
  if (!o_.labelled.empty())
    output_.line(fmt::format(
        "{} labelled images: {} would be complete, with {} labels, {} of them right, for {} "
        "objects; {} empty, with {} objects; {} doubtful; {} have no labels and do not count",
        complete_.images, complete_.complete, complete_.labels, complete_.correct,
        complete_.objects, complete_.empty, complete_.objects_in_empty, complete_.doubtful,
        split_.unlabelled));
  output_.line(fmt::format(
      "{} images: {} complete with {} boxes{}, {} doubtful, {} empty{}; {} unreadable; {} left "
      "out, "
      "since they have labels{}",
      labels_.images.size() + unreadable_.size(), labels_.count(ImageVerdict::complete),
      result["written_boxes"].get<std::size_t>(),
      labels_.tolerated() > 0
          ? fmt::format(" ({} doubtful detections in them are no labels; {} of them are written as "
                        "ignored regions)",
                        labels_.tolerated(), result["ignored_regions"].get<std::size_t>())
          : "",
      labels_.count(ImageVerdict::doubtful), labels_.count(ImageVerdict::empty),
      o_.with_empty ? " (written as images without an object)" : "", unreadable_.size(),
      source_.labelled,
      source_.unusable > 0 ? fmt::format(", and {} whose labels cannot be read", source_.unusable)
                           : ""));
  if (linked_) output_.line(text_of(*linked_, o_.fills_as_labels()));
  std::vector<std::string> reasons;
  dataset::add_reasons(account, "annotation.json", reasons);
  for (const std::string& line : reasons) output_.line(line);
  if (account.pictures.out == 0) {
    output_.code = ExitCode::failure;
    log::error("no image is annotated");
  }
  output_.line(fmt::format("written: {}", o_.out));
}

json Annotation::execute(const std::vector<std::string>& given) {
  open(given);
  read_labels();
  require_frames(given);
  choose_classes();
  choose_thresholds();
  output_.line(o_.labelled.empty()
                   ? "thresholds are those of --conf: precision not measured"
                   : fmt::format("precision of each class at least {}, with confidence {}:",
                                 text::general(o_.promise.precision),
                                 text::general(o_.promise.confidence)));
  say_classes();
  require_a_class();
  read_videos();
  look();
  json result = report();
  const dataset::Conversion account = write_label_files(
      labels_, {o_.out, o_.to, o_.with_empty, o_.link || looks_at_frames_alone_}, result);
  say_result(account, result);
  return result;
}

}  // namespace

json run_annotate(const std::vector<std::string>& arguments, Output& output) {
  AnnotateOptions options;
  const Settings table = settings(options);
  if (!parse_arguments(table, arguments, output)) return {};
  require_possible(options);
  take_server_access(options.model);
  set_truncated_rule(options.truncated);
  return Annotation(options, output).execute(given_names(table, arguments));
}

}  // namespace yolov7::cli
