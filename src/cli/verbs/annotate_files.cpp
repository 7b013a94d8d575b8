#include "cli/verbs/annotate_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "active/coco_predictions.hpp"
#include "cli/verbs/annotate_regions.hpp"
#include "core/file.hpp"
#include "core/file_tree.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/setting_name.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"
#include "dataset/formats/format_table.hpp"
#include "dataset/formats/output_folder.hpp"
#include "runtime/server/served_address.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;
using active::ImageVerdict;
using nlohmann::json;

dataset::AnnotatedObject object_of(std::size_t place, std::size_t of_image,
                                   const MachineLabels& labels) {
  const PoolImage& image = labels.images[of_image];
  const Detection& box = image.detections[place];
  const bool filled = labels.is_filled(of_image, place);
  dataset::AnnotatedObject object = machine_object(box, labels.teacher, image.width, image.height);
  if (filled) {
    object.score.reset();
    object.attributes.push_back({"interpolated", true});
  } else {
    object.attributes.push_back(
        {"threshold", labels.rules[static_cast<std::size_t>(box.class_index)].threshold});
  }
  if (const auto frame = labels.places.find(image.path); frame != labels.places.end() && box.track)
    object.track = dataset::TrackPlace{fmt::format("{}", box.track),
                                       static_cast<int>(frame->second.number), !filled, false};
  return object;
}

/// Machine labels are for training, never for measuring.
constexpr const char* split = "train";

/// As it stands in the finished output.
fs::path shown(const fs::path& image, const MachineLabels& labels) {
  return labels.frames != nullptr ? labels.frames->place_in_output(image)
                                  : fs::absolute(image).lexically_normal();
}

void add_image(std::size_t place, const MachineLabels& labels, dataset::AnnotatedSet& set,
               dataset::Conversion& account) {
  const PoolImage& image = labels.images[place];
  const active::JudgedImage& judged = labels.judged[place];
  dataset::AnnotatedImage one;
  one.written = labels.frames != nullptr ? shown(image.path, labels).string() : image.path.string();
  one.file = image.path;
  one.width = image.width, one.height = image.height;
  one.split = split;
  account.boxes.in += judged.labels.size();
  for (const std::size_t i : judged.labels) {
    dataset::AnnotatedObject object = object_of(i, place, labels);
    if (object.box.width() >= 1 && object.box.height() >= 1)
      one.objects.push_back(std::move(object));
    else
      account.drop({"box", image.path, 0, 1,
                    fmt::format("a box of class '{}' is thinner than 1 px",
                                text::printable(
                                    labels.names[static_cast<std::size_t>(object.class_index)]))});
  }
  if (one.objects.empty()) one.state = dataset::ImageState::empty_on_purpose;
  dataset::SplitCount& count = account.splits.front();
  ++count.pictures;
  count.boxes += one.objects.size();
  count.empty += one.objects.empty() ? 1 : 0;
  for (const dataset::AnnotatedObject& object : one.objects)
    ++count.boxes_per_class[static_cast<std::size_t>(object.class_index)];
  set.images.push_back(std::move(one));
}

/// What the teacher was not sure of in a complete image, where the format has a place for it.
void add_regions(const PoolImage& image, const active::JudgedImage& judged,
                 const MachineLabels& labels, const LabelFiles& files, dataset::AnnotatedSet& set,
                 dataset::Conversion& account) {
  if (judged.verdict != ImageVerdict::complete ||
      dataset::format_named(files.to, setting_name("to")).holds.ignore == dataset::Keep::no)
    return;
  dataset::AnnotatedImage& one = set.images.back();
  one.annotation = image.path;  // names the regions where the format keeps them beside its rows
  const std::size_t before = one.objects.size();
  const std::size_t count =
      add_doubtful_regions(image.detections, judged, labels.doubt, labels.teacher, one);
  account.boxes.in += count;
  account.splits.front().boxes += count;
  for (std::size_t i = before; i < one.objects.size(); ++i)
    ++account.splits.front().boxes_per_class[static_cast<std::size_t>(one.objects[i].class_index)];
}

/// Labels, or ignored regions.
std::size_t objects_of(const dataset::AnnotatedSet& set, bool ignored) {
  std::size_t count = 0;
  for (const dataset::AnnotatedImage& image : set.images)
    for (const dataset::AnnotatedObject& object : image.objects)
      count += object.ignore == ignored ? 1 : 0;
  return count;
}

dataset::AnnotatedSet set_of(const MachineLabels& labels, const LabelFiles& files,
                             dataset::Conversion& account) {
  dataset::AnnotatedSet set;
  for (const std::string& name : labels.names) set.classes.push_back({name, {}, {}, {}});
  account.from = "detector";
  account.names = labels.names;
  account.split_rule = "everything in train";
  account.splits = {{split, 0, 0, 0, std::vector<std::size_t>(labels.names.size())}};
  for (std::size_t i = 0; i < labels.images.size(); ++i) {
    const ImageVerdict verdict = labels.judged[i].verdict;
    if (verdict == ImageVerdict::complete || (verdict == ImageVerdict::empty && files.with_empty)) {
      add_image(i, labels, set, account);
      add_regions(labels.images[i], labels.judged[i], labels, files, set, account);
    }
  }
  const dataset::SplitCount& count = account.splits.front();
  account.annotations = account.pictures = {count.pictures, count.pictures, 0};
  account.boxes.out = count.boxes;
  dataset::require_balance(account);
  return set;
}

void write_set(const fs::path& folder, const dataset::AnnotatedSet& set, const LabelFiles& files,
               dataset::Conversion& account) {
  const dataset::Format& to = dataset::format_named(files.to, setting_name("to"));
  account.to = to.name;
  for (const dataset::Loss& loss : dataset::losses(set, to))
    account.losses.push_back({loss.what, loss.count,
                              loss.where == dataset::Keep::attribute   ? "attribute"
                              : loss.where == dataset::Keep::side_file ? dataset::extra_line
                                                                       : ""});
  fs::create_directory(folder);
  const dataset::WriteOptions options{.hard_link = files.hard_link};
  to.write({set, folder, options, account, interrupt::token()});
  account.val_is_train = false;  // data.yaml says it; here it is meant so
}

/// What people should look at, with all detections; those that tracks filled in are marked.
json suggestions(const std::vector<std::size_t>& images, const MachineLabels& labels) {
  std::vector<active::PredictedImage> all;
  for (const std::size_t i : images) {
    const PoolImage& image = labels.images[i];
    active::PredictedImage one{shown(image.path, labels).string(), image.width, image.height, {}};
    for (std::size_t k = 0; k < image.detections.size(); ++k) {
      if (image.detections[k].score < labels.doubt) continue;
      if (labels.is_filled(i, k)) one.interpolated.push_back(one.detections.size());
      one.detections.push_back(image.detections[k]);
    }
    all.push_back(std::move(one));
  }
  return active::coco_predictions(all, labels.names);
}

void write(const fs::path& path, const std::string& content) {
  file::write_atomically(path, content, file::Sync::later);
}

}  // namespace

std::size_t MachineLabels::count(ImageVerdict verdict) const {
  return static_cast<std::size_t>(
      std::count_if(judged.begin(), judged.end(),
                    [&](const active::JudgedImage& one) { return one.verdict == verdict; }));
}

std::size_t MachineLabels::tolerated() const {
  std::size_t sum = 0;
  for (const active::JudgedImage& one : judged)
    sum += one.verdict == ImageVerdict::complete ? one.doubtful : 0;
  return sum;
}

std::string model_fingerprint(const fs::path& path) {
  if (runtime::is_served_model(path.string())) return path.string();
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    fs::path weights = path;
    weights.replace_extension(".bin");
    const std::string own = sha256_of_file(path, interrupt::token());
    if (text::lower(path.extension().string()) != ".xml" || !fs::exists(weights, error)) return own;
    return sha256(own + sha256_of_file(weights, interrupt::token()));
  }
  std::string list;
  for (const fs::path& one : file::files_of(path))
    list += fmt::format("{} {}\n", sha256_of_file(one, interrupt::token()),
                        one.lexically_relative(path).generic_string());
  return sha256(list);
}

dataset::Conversion write_label_files(const MachineLabels& labels, const LabelFiles& files,
                                      json& report) {
  dataset::Conversion account;
  account.out = files.out / "set";
  const dataset::AnnotatedSet set = set_of(labels, files, account);
  std::vector<std::size_t> doubtful;
  std::string review, empty;
  for (std::size_t i = 0; i < labels.images.size(); ++i) {
    const std::string line = shown(labels.images[i].path, labels).string() + "\n";
    if (labels.judged[i].verdict == ImageVerdict::empty) empty += line;
    if (labels.judged[i].verdict != ImageVerdict::doubtful) continue;
    doubtful.push_back(i);
    review += line;
  }
  dataset::build_folder(files.out, [&](const fs::path& folder) {
    if (!set.images.empty()) write_set(folder / "set", set, files, account);
    write(folder / "review.txt", review);
    write(folder / "review.json", json_text(suggestions(doubtful, labels)) + "\n");
    write(folder / "empty.txt", empty);
    report["written_boxes"] = objects_of(set, false);
    report["ignored_regions"] = objects_of(set, true);
    report["account"] = dataset::to_json(account);
    write(folder / "annotation.json", json_text(report, 1) + "\n");
    if (labels.frames != nullptr) fs::rename(labels.frames->folder(), folder / "frames");
  });
  return account;
}

}  // namespace yolov7::cli
