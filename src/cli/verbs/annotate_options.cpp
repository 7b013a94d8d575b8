#include "cli/verbs/annotate_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "dataset/formats/format_table.hpp"
#include "dataset/formats/output_folder.hpp"
#include "runtime/server/served_address.hpp"

namespace yolov7::cli {
namespace {

std::vector<Setting> place_settings(AnnotateOptions& o) {
  return group(
      "Images",
      {setting("source", o.source,
               "images without labels and videos: a folder, a pattern, a list, or a data set of "
               "any format, whose labelled images are left out")
           .positional()
           .basic(),
       setting("out", o.out,
               "new or empty folder for set/ (the labels), review.json and review.txt (what people "
               "should look at), empty.txt, annotation.json, and frames/ of videos")
           .basic(),
       setting("to", o.to, "format of set/: " + text::join(dataset::writable_names(), ", "))
           .basic(),
       setting("link", o.link,
               "hard links to the images instead of copies, where the file system can"),
       setting("with-empty", o.with_empty,
               "write images in which nothing was found as images without an object")});
}

std::vector<Setting> promise_settings(AnnotateOptions& o) {
  return group(
      "Promise",
      {setting("labelled", o.labelled,
               "data set with labels of people that the teachers have not seen: thresholds of the "
               "classes are chosen on it")
           .basic(),
       setting("labelled-split", o.labelled_split, "split of --labelled that is looked at")
           .choices({"train", "val", "test"})
           .basic(),
       setting("min-precision", o.promise.precision,
               "the lower bound of the precision that a class must keep")
           .range(0.5, 0.9999)
           .basic(),
       setting("confidence", o.promise.confidence,
               "confidence of that bound, one-sided, for all thresholds of a class together")
           .range(0.5, 0.9999),
       setting("conf", o.conf,
               "thresholds instead: one for all classes, or NAME=THRESHOLD for each; with "
               "--labelled they are measured")
           .basic(),
       setting("doubt", o.doubt.doubt,
               "a detection of this score and more that is no label makes its image doubtful")
           .range(0.001, 0.999)
           .basic(),
       setting("doubt-share", o.doubt.tolerated,
               "share of such detections that an image may have and still counts as complete")
           .range(0, 0.99)});
}

std::vector<Setting> track_settings(AnnotateOptions& o) {
  return group(
      "Tracks",
      {setting("sequence", o.sequence,
               "images of one folder are the frames of one video, in the order of their names")
           .basic(),
       setting("vid-stride", o.vid_stride, "every n-th frame of a video").range(1, 1e6),
       setting("max-gap", o.gaps.most,
               "longest gap, in frames, in which a track fills in the boxes of an object that was "
               "missed; 0 = none")
           .range(0, 1000),
       setting("gap-boxes", o.gap_boxes,
               "doubtful: an image with a box that a track filled in is doubtful; labels: the box "
               "is written, with a mark; no threshold promises its precision")
           .choices({"doubtful", "labels"})});
}

std::vector<Setting> class_settings(AnnotateOptions& o) {
  return group("Classes",
               {setting("map", o.map,
                        "OLD=NEW for each class of the teacher that the labels call otherwise; "
                        "OLD= leaves it out; or a YAML file with OLD: NEW")
                    .basic(),
                setting("drop-unknown", o.drop_unknown,
                        "leave out classes of the teacher that --labelled, or the data set of "
                        "--source, does not have")});
}

/// The table of a model, whose weights are the teachers here.
std::vector<Setting> teacher_settings(AnnotateOptions& o) {
  std::vector<Setting> all = api::settings(o.model);
  for (Setting& one : all)
    if (one.name == "weights") {
      one.name = "teacher";
      one.help =
          "checkpoint, any model file that detect takes, or http://HOST:PORT/v2/models/NAME of a "
          "server (Open Inference Protocol); several make an ensemble";
    }
  std::vector<Setting> nms = joined(
      {threshold_settings(o.look.nms), limit_settings(o.look.nms), kind_settings(o.look.nms)});
  std::erase_if(nms, [](const Setting& one) { return one.name == "conf-thres"; });
  for (Setting& one : nms)
    if (one.name == "nms") one.help += "; wbf fuses several passes, and is hard for a single one";
  return joined({all, runtime::settings(o.look), nms});
}

double threshold_of(std::string_view word, const std::string& text) {
  const auto number = text::parse_double(text::trim(word));
  if (!number || !(*number > 0) || !(*number <= 1))
    throw usage_error(
        fmt::format("annotate: {}: expected a threshold above 0 and up to 1, or NAME=THRESHOLD, "
                    "found '{}'",
                    setting_name("conf"), text::printable(text)));
  return *number;
}

}  // namespace

Settings settings(AnnotateOptions& o) {
  return {"annotate",
          joined({place_settings(o), promise_settings(o), class_settings(o), track_settings(o),
                  teacher_settings(o), truncated_settings(o.truncated, "Images")})};
}

void require_possible(const AnnotateOptions& o) {
  if (o.model.weights.empty())
    throw usage_error("annotate: expected --teacher with a checkpoint or model file, found none");
  if (o.source.empty())
    throw usage_error("annotate: expected --source with the images to annotate, found none");
  if (o.out.empty())
    throw usage_error("annotate: expected --out with the folder to write, found none");
  if (o.labelled.empty() && o.conf.empty())
    throw usage_error(
        "annotate: expected --labelled with a labelled data set, on which thresholds are chosen, "
        "or --conf with thresholds, found neither");
  const dataset::Format& to = dataset::format_named(o.to, setting_name("to"));
  if (to.write == nullptr)
    throw usage_error(fmt::format("{}: {} is read, but not written", setting_name("to"), to.name));
  std::error_code error;
  for (const std::string& one : o.model.weights)
    if (runtime::is_served_model(one))
      runtime::parse_served_address(one, setting_name("teacher"));
    else if (!std::filesystem::exists(one, error))
      throw Error(fmt::format("{} {}: no such file", setting_name("teacher"), one));
  require_possible(o.look.nms, "annotate");
  dataset::require_empty(o.out);
}

std::vector<double> given_thresholds(const std::vector<std::string>& texts,
                                     const std::vector<std::string>& names) {
  std::vector<double> thresholds(names.size(), -1);
  double all = -1;
  for (const std::string& text : texts) {
    const std::size_t at = text.rfind('=');
    if (at == std::string::npos) {
      if (all >= 0)
        throw usage_error(
            fmt::format("annotate: {}: expected one threshold for all classes, found '{}' besides",
                        setting_name("conf"), text::printable(text)));
      all = threshold_of(text, text);
      continue;
    }
    const std::string name(text::trim(std::string_view(text).substr(0, at)));
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      throw usage_error(fmt::format("annotate: {}: expected a class of {}, found '{}'{}",
                                    setting_name("conf"), text::join(names, ", "),
                                    text::printable(name), text::did_you_mean(name, names)));
    double& place = thresholds[static_cast<std::size_t>(found - names.begin())];
    if (place >= 0)
      throw usage_error(
          fmt::format("annotate: {}: expected one threshold of a class, found two "
                      "of '{}'",
                      setting_name("conf"), text::printable(name)));
    place = threshold_of(std::string_view(text).substr(at + 1), text);
  }
  for (double& one : thresholds)
    if (one < 0) one = all;
  return thresholds;
}

}  // namespace yolov7::cli
