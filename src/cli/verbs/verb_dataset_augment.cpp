// yolov7 dataset augment --data data.yaml --hyp FILE --preview SHEET.png | --out DIR --times N;
// --list
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "core/interrupt.hpp"
#include "core/output_guard.hpp"
#include "core/text.hpp"
#include "core/value.hpp"
#include "dataset/formats/open_data.hpp"
#include "dataset/index/label.hpp"
#include "dataset/index/read_index.hpp"
#include "dataset/loading/augmented_set.hpp"
#include "image/codec/codec.hpp"
#include "run/options.hpp"

namespace yolov7::cli {
namespace {

struct AugmentVerbOptions {
  std::string data, hyp, augment, preview, out, split = "train";
  bool list = false;
  int times = 1, seed = 0, rows = 6, columns = 3, side = 320, threads = 0;
};

std::vector<Setting> list_settings(AugmentVerbOptions& o) {
  return group(
      "Transforms",
      {setting("data", o.data, "data.yaml, or annotations of any format").basic(),
       setting("hyp", o.hyp, "hyper-parameter file whose list `augment` says what to do").basic(),
       setting("augment", o.augment,
               "the list itself instead: '[{name: CLAHE, p: 1}, {name: Rotate}]'")
           .basic(),
       setting("list", o.list, "show all transforms with their parameters").basic(),
       setting("seed", o.seed, "the same seed gives the same files").range(0, 2147483647).basic(),
       setting("workers", o.threads, "threads, 0 = usable cores").range(0, 1024)});
}

std::vector<Setting> copy_settings(AugmentVerbOptions& o) {
  return group(
      "Augmented copy",
      {setting("out", o.out, "new or empty folder for an augmented copy of the data set").basic(),
       setting("times", o.times, "--out: versions of each training image, besides itself")
           .range(1, 1000)
           .basic()});
}

std::vector<Setting> preview_settings(AugmentVerbOptions& o) {
  return group(
      "Preview",
      {setting("preview", o.preview,
               "image to write: rows of an image as it is and as the transforms make it, with "
               "boxes")
           .basic(),
       setting("split", o.split, "--preview: images of this split")
           .choices({"train", "val", "test"}),
       setting("rows", o.rows, "--preview: images").range(1, 100),
       setting("columns", o.columns, "--preview: versions of each").range(1, 30),
       setting("img-size", o.side, "--preview: side of an image on the sheet, pixels")
           .range(32, 2048)});
}

Settings settings(AugmentVerbOptions& o) {
  return {"dataset augment", joined({list_settings(o), copy_settings(o), preview_settings(o)})};
}

/// The list of --augment or of the hyper-parameter file.
Value list_of(const AugmentVerbOptions& o) {
  if (o.augment.empty() == o.hyp.empty())
    throw usage_error("dataset augment: expected --augment or --hyp to say what to do, found " +
                      std::string(o.hyp.empty() ? "neither" : "both"));
  const std::string text =
      o.augment.empty() ? run::read_hyperparameters(o.hyp).augmentation.augment : o.augment;
  if (text.empty())
    throw usage_error(
        fmt::format("dataset augment: {}: expected a list under 'augment', found none", o.hyp));
  if (o.augment.empty()) return parse_yaml(text, o.hyp);
  try {
    Value list = parse_yaml(text, "--augment");
    dataset::AugmentList::parse(list);
    return list;
  } catch (const Error& error) {
    throw usage_error(error.what());  // what stands on the command line is a wrong call
  }
}

/// The sheet replaces nothing of the data set.
void claim_preview(const AugmentVerbOptions& o, const dataset::Index& index) {
  OutputGuard guard;
  guard.protect(o.data, "--data");
  if (!o.hyp.empty()) guard.protect(o.hyp, "--hyp");
  for (const dataset::Entry& entry : index.entries) {
    guard.protect(entry.picture, "the image " + entry.picture.string());
    guard.protect(dataset::label_path(entry.picture),
                  "the label file of " + entry.picture.string());
  }
  guard.claim(o.preview);
}

nlohmann::json preview(const AugmentVerbOptions& o, const dataset::Description& description,
                       const Value& text, const Output& output) {
  const dataset::AugmentList list = dataset::AugmentList::parse(text);
  const dataset::Index index = dataset::read_index(
      description, o.split, {false, false, false, false, 0, interrupt::token()});
  claim_preview(o, index);
  // Evenly over the split, so that a sheet shows more than its first scene.
  const std::size_t rows = std::min(static_cast<std::size_t>(o.rows), index.entries.size());
  std::vector<std::size_t> entries;
  for (std::size_t i = 0; i < rows; ++i) entries.push_back(i * index.entries.size() / rows);
  write_picture(o.preview,
                dataset::preview_sheet(index, entries, list, static_cast<std::uint64_t>(o.seed),
                                       o.columns, o.side, interrupt::token()));
  output.line(fmt::format("{}: {} images of {}, each as it is and in {} versions", o.preview, rows,
                          o.split, o.columns));
  return {{"preview", o.preview}, {"pictures", rows}, {"versions", o.columns}};
}

nlohmann::json copy(const AugmentVerbOptions& o, const dataset::Description& description,
                    const Value& text, const Output& output) {
  dataset::AugmentedCopyOptions options;
  options.times = o.times;
  options.seed = static_cast<std::uint64_t>(o.seed);
  options.threads = o.threads;
  options.stop = interrupt::token();
  const dataset::AugmentedCopyReport report =
      dataset::write_augmented_copy(description, text, options, o.out);
  output.line(fmt::format(
      "{}: {} training images and {} versions of them; {} of {} objects are still in the "
      "versions (augment.json says what was done to each)",
      o.out, report.originals, report.written, report.objects_after, report.objects_before));
  return {{"out", o.out},
          {"originals", report.originals},
          {"versions", report.written},
          {"objects_before", report.objects_before},
          {"objects", report.objects_after}};
}

}  // namespace

nlohmann::json run_dataset_augment(const std::vector<std::string>& arguments, Output& output) {
  AugmentVerbOptions o;
  if (!parse_arguments(settings(o), arguments, output)) return {};
  if (o.list) {
    const std::string page = dataset::reference_page();
    for (const auto line : text::split(page, '\n')) output.line(line);
    nlohmann::json names = nlohmann::json::array();
    for (const dataset::TransformEntry& one : dataset::catalogue())
      names.push_back(std::string(one.name));
    return {{"transforms", names}};
  }
  if (o.data.empty())
    throw usage_error("dataset augment: expected --data with a data.yaml, found none");
  if (o.preview.empty() == o.out.empty())
    throw usage_error(fmt::format("dataset augment: expected --preview or --out, found {}",
                                  o.out.empty() ? "neither" : "both"));
  const Value text = list_of(o);
  const dataset::Description description =
      dataset::open_data(o.data, {false, false, o.threads, interrupt::token()});
  return o.out.empty() ? preview(o, description, text, output) : copy(o, description, text, output);
}

}  // namespace yolov7::cli
