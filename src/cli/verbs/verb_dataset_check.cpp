// yolov7 dataset check --data data.yaml, or annotations of any format
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "cli/verbs/mistake_crops.hpp"
#include "cli/verbs/network_rule.hpp"
#include "cli/verbs/val_options.hpp"
#include "core/allocation.hpp"
#include "core/file.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "dataset/doctor/doctor.hpp"
#include "dataset/doctor/fix.hpp"
#include "dataset/doctor/read_subject.hpp"
#include "dataset/formats/output_folder.hpp"
#include "dataset/index/index.hpp"
#include "dataset/index/index_report.hpp"
#include "dataset/index/ready_set.hpp"
#include "evaluation/metrics/coco_split.hpp"
#include "image/codec/truncated.hpp"
#include "monitoring/check_report.hpp"

namespace yolov7::cli {
namespace {

constexpr std::size_t most_lines = 10;

struct CheckOptions {
  std::string data, out, fix, predictions;
  dataset::doctor::Ranking ranking = dataset::doctor::Ranking::joint;
  std::vector<std::string> skip;
  std::vector<int> leave;
  bool recheck = false, strict = false, single_cls = false, list = false, link = false;
  NetworkRuleOptions network;
  TruncatedRule truncated;
};

Settings settings(CheckOptions& o) {
  const std::vector<Setting> check = {
      setting("data", o.data, "data.yaml, or annotations of any format").positional().basic(),
      setting("out", o.out, "new or empty folder for report.html and check.json").basic(),
      setting("strict", o.strict,
              "for CI: exit code 1 on any error or warning; a repeated row or a box without area "
              "makes its image unusable")
          .basic(),
      setting("skip", o.skip, "checks that are left out, by their names").basic(),
      setting(
          "fix", o.fix,
          "new or empty folder for a set with the proposed changes made; the source stays as it "
          "is, and changes.json lists every change")
          .basic(),
      setting("leave", o.leave, "with --fix: numbers of changes that are not made").basic(),
      setting("link", o.link,
              "with --fix: hard links to the images instead of copies, where the file system can"),
      setting("list", o.list, "show the table of checks and end").basic(),
      setting("recheck", o.recheck, "read every image again, whatever the cache says"),
      setting("single-cls", o.single_cls, "all classes count as one")};
  const std::vector<Setting> mistakes = group(
      "Label mistakes",
      {setting("predictions", o.predictions,
               "results in COCO's JSON form (val --save-json) of a network that was not trained on "
               "these images; labels that they speak against are ranked")
           .basic(),
       setting("ranking", o.ranking,
               "joint: labels and predictions are matched first; plain: 1 - IoU x score",
               {"joint", "plain"})});
  return {"dataset check",
          joined({check, settings(o.network), mistakes, truncated_settings(o.truncated, "")})};
}

nlohmann::json list_json(const std::vector<dataset::Problem>& list) {
  nlohmann::json result = nlohmann::json::array();
  for (const dataset::Problem& one : list)
    result.push_back({{"file", one.file.string()}, {"line", one.line}, {"reason", one.reason}});
  return result;
}

nlohmann::json split_json(const dataset::Index& index) {
  nlohmann::json classes = nlohmann::json::array();
  const auto histogram = index.class_histogram();
  for (std::size_t i = 0; i < histogram.size(); ++i)
    classes.push_back({{"name", index.names[i]}, {"boxes", histogram[i]}});
  return {{"pictures", index.entries.size()},
          {"boxes", index.label_count()},
          {"found", index.found},
          {"missing", index.missing},
          {"empty", index.empty},
          {"corrupt", index.corrupt},
          {"unread", index.unread},
          {"absent", index.absent},
          {"unknown_classes", index.unknown_classes},
          {"orphan_labels", index.orphan_labels},
          {"pictures_read", index.pictures_read},
          {"identity", index.identity},
          {"classes", std::move(classes)},
          {"truncated", index.truncated},
          {"problems", list_json(index.problems)},
          {"notes", list_json(index.notes)}};
}

void print_split(const dataset::Index& index, const Output& output) {
  output.line(fmt::format(
      "{}: {} images, {} boxes; label files: {} found, {} missing, {} empty; {} images "
      "corrupt, "
      "{} labels without image, {} problems",
      index.split, index.entries.size(), index.label_count(), index.found, index.missing,
      index.empty, index.corrupt, index.orphan_labels, index.problems.size()));
  if (index.unread > 0)
    output.line(fmt::format("  {:>8}  not looked at (kinds that are not read here)", index.unread));
  if (index.absent > 0)
    output.line(fmt::format("  {:>8}  lines of image lists without an image", index.absent));
  if (index.unknown_classes > 0)
    output.line(fmt::format("  {:>8}  rows of unknown classes, in {} label files",
                            index.unknown_classes, index.unknown_class_files));
  const auto histogram = index.class_histogram();
  for (std::size_t i = 0; i < histogram.size(); ++i)
    output.line(fmt::format("  {:>8}  {}", histogram[i], index.names[i]));
}

/// A warning with names for every pair of splits that share pictures.
nlohmann::json check_shared(const std::vector<const dataset::Index*>& indexes) {
  nlohmann::json result = nlohmann::json::array();
  for (std::size_t a = 0; a < indexes.size(); ++a)
    for (std::size_t b = a + 1; b < indexes.size(); ++b) {
      const auto shared = dataset::shared_pictures(*indexes[a], *indexes[b]);
      if (shared.empty()) continue;
      log::warning(fmt::format("{} images are in {} and in {}: results on {} are too good",
                               shared.size(), indexes[a]->split, indexes[b]->split,
                               indexes[b]->split));
      for (std::size_t i = 0; i < shared.size(); ++i) {
        if (i < most_lines)
          log::warning(
              fmt::format("  {} = {}", shared[i].first.string(), shared[i].second.string()));
        result.push_back({{"splits", {indexes[a]->split, indexes[b]->split}},
                          {"pictures", {shared[i].first.string(), shared[i].second.string()}}});
      }
      if (shared.size() > most_lines)
        log::warning(fmt::format("  and {} more", shared.size() - most_lines));
    }
  return result;
}

std::vector<std::string> skipped(const CheckOptions& o) {
  std::vector<std::string> names;
  for (const std::string& text : o.skip)
    for (const std::string_view part : text::split(text, ','))
      if (const std::string_view name = text::trim(part); !name.empty()) names.emplace_back(name);
  for (const std::string& name : names) dataset::doctor::check_named(name);
  return names;
}

dataset::doctor::Diagnosis diagnosis_of(const CheckOptions& o) {
  const dataset::doctor::Selection selection{skipped(o)};
  const dataset::doctor::NetworkRule rule = network_rule(o.network);
  dataset::doctor::SubjectOptions reading;
  reading.recheck = o.recheck;
  reading.strict = o.strict;
  reading.single_cls = o.single_cls;
  reading.stop = interrupt::token();
  dataset::doctor::Subject subject = dataset::doctor::read_subject(o.data, reading);
  for (const std::string& out : {o.out, o.fix})
    if (!out.empty()) dataset::require_outside(out, subject.description);
  if (subject.description.ready && !o.fix.empty())
    throw usage_error(
        fmt::format("--fix: expected a data.yaml whose label files can be changed, found {}; "
                    "`yolov7 dataset convert` makes one of it",
                    o.data));
  subject.network = rule;
  fit_anchors(subject, interrupt::token());
  return dataset::doctor::diagnose(std::move(subject), selection, interrupt::token());
}

nlohmann::json result_json(const CheckOptions& o, const dataset::doctor::Diagnosis& diagnosis,
                           const std::vector<const dataset::Index*>& indexes) {
  nlohmann::json result = to_json(diagnosis);
  result["data"] = o.data;
  result["names"] = indexes.front()->names;
  result["splits"] = nlohmann::json::object();
  for (const dataset::Index* index : indexes) result["splits"][index->split] = split_json(*index);
  if (const auto& ready = diagnosis.subject.description.ready)
    result["account"] = nlohmann::json::parse(ready->account);
  result["shared"] = check_shared(indexes);
  return result;
}

/// The crops are for the page alone.
void write_report(const std::string& out, nlohmann::json& result, const Output& output) {
  if (out.empty()) return;
  const std::string page = monitoring::check_report(result);
  if (result.contains("mistakes"))
    for (nlohmann::json& one : result["mistakes"]) one.erase("crop");
  dataset::build_folder(out, [&](const std::filesystem::path& folder) {
    file::write_atomically(folder / "check.json", json_text(result, 1) + "\n");
    file::write_atomically(folder / "report.html", page);
  });
  output.line(fmt::format("written: {}", (std::filesystem::path(out) / "report.html").string()));
}

void write_fixed_set(const CheckOptions& o, const dataset::doctor::Diagnosis& diagnosis,
                     nlohmann::json& result, const Output& output) {
  if (o.fix.empty()) return;
  dataset::doctor::FixOptions options;
  options.leave = {o.leave.begin(), o.leave.end()};
  options.hard_link = o.link;
  options.stop = interrupt::token();
  const auto counts = dataset::doctor::write_fixed(diagnosis, o.fix, options);
  const std::filesystem::path folder(o.fix);
  result["fixed"] = {
      {"data", (folder / "data.yaml").string()},           {"images", counts.images},
      {"dropped_images", counts.dropped_images},           {"changed_rows", counts.changed_rows},
      {"lost_key_points", counts.lost_key_points},         {"dropped_rows", counts.dropped_rows},
      {"dropped_label_files", counts.dropped_label_files}, {"left", counts.left}};
  output.line(fmt::format(
      "written: {} with {} images; {} images dropped, {} rows changed, {} rows dropped, {} label "
      "files without an image dropped; {} lists every change with its number for --leave",
      (folder / "data.yaml").string(), counts.images, counts.dropped_images, counts.changed_rows,
      counts.dropped_rows, counts.dropped_label_files, (folder / "changes.json").string()));
  if (counts.lost_key_points > 0)
    log::warning(
        fmt::format("{} of the changed rows are written without their key points, whose "
                    "layout is not known",
                    counts.lost_key_points));
}

/// As val writes them: COCO's 80 classes have the ids of its 91, others their numbers.
std::vector<std::int64_t> category_ids(const std::string& data, std::size_t classes) {
  constexpr std::size_t coco_classes = 80;
  std::vector<std::int64_t> ids;
  if (!is_coco(data) || classes != coco_classes) return ids;
  for (std::size_t c = 0; c < classes; ++c)
    ids.push_back(evaluation::category_id(static_cast<int>(c), true));
  return ids;
}

/// The report's folder is made behind that of the mended set, and has to be empty then.
void require_two_folders(const CheckOptions& o) {
  if (o.out.empty() || o.fix.empty()) return;
  const auto out = std::filesystem::weakly_canonical(dataset::output_place(o.out)),
             fix = std::filesystem::weakly_canonical(dataset::output_place(o.fix));
  if (std::mismatch(out.begin(), out.end(), fix.begin(), fix.end()).first == out.end())
    throw usage_error(
        fmt::format("dataset check: --fix: expected a folder outside that of --out ({}), found {}",
                    o.out, o.fix));
}

/// Ranked, not judged: a mistake is no finding, because a network may be wrong, too.
void rank_mistakes(const CheckOptions& o, const dataset::doctor::Diagnosis& diagnosis,
                   nlohmann::json& result, const Output& output) {
  if (o.predictions.empty()) return;
  constexpr std::size_t crops = 100;
  const auto predictions = dataset::doctor::read_predictions(
      o.predictions, diagnosis.subject,
      category_ids(o.data, diagnosis.subject.description.names.size()));
  const auto mistakes = dataset::doctor::find_mistakes(diagnosis.subject, predictions, o.ranking);
  const auto& names = diagnosis.subject.splits.front().index.names;
  output.line(
      fmt::format("label mistakes: {} images have predictions, {} do not and are not "
                  "looked at",
                  predictions.size(), diagnosis.subject.pictures() - predictions.size()));
  for (const std::string& line : mistake_lines(mistakes, names, most_lines)) output.line(line);
  result["mistakes"] = mistakes_json(mistakes, names, o.out.empty() ? 0 : crops);
}

/// With --skip the findings that are left decide, and lines of lists without an image, which no
/// check is about; the problems of the index do not know what was skipped.
bool anything_wrong(const CheckOptions& o, const dataset::doctor::Diagnosis& diagnosis,
                    const std::vector<const dataset::Index*>& indexes) {
  using dataset::doctor::Severity;
  if (diagnosis.count(Severity::error) + diagnosis.count(Severity::warning) > 0) return true;
  if (const auto& ready = diagnosis.subject.description.ready; ready && ready->dropped > 0)
    return true;
  return std::any_of(indexes.begin(), indexes.end(), [&](const dataset::Index* index) {
    return o.skip.empty() ? !index->problems.empty() : index->absent > 0;
  });
}

/// Training refuses them, so they are exit code 1 without --strict, too.
bool unknown_classes(const CheckOptions& o, const dataset::doctor::Diagnosis& diagnosis,
                     const std::vector<const dataset::Index*>& indexes) {
  constexpr std::string_view check = "unknown-class";
  if (text::contains(skipped(o), check)) return false;
  return std::any_of(indexes.begin(), indexes.end(),
                     [](const auto* index) { return index->unknown_classes > 0; }) ||
         std::any_of(diagnosis.findings.begin(), diagnosis.findings.end(),
                     [&](const auto& finding) { return finding.check == check; });
}

}  // namespace

nlohmann::json run_dataset_check(const std::vector<std::string>& arguments, Output& output) {
  CheckOptions options;
  if (!parse_arguments(settings(options), arguments, output)) return {};
  if (options.list) {
    const std::string table = dataset::doctor::check_table_text();
    for (const std::string_view line : text::lines(table)) output.line(line);
    return {};
  }
  if (options.data.empty())
    throw usage_error("dataset check: expected --data with a data.yaml or annotations, found none");
  set_truncated_rule(options.truncated);
  if (!options.out.empty()) dataset::require_empty(options.out);
  if (!options.fix.empty()) dataset::require_empty(options.fix);
  require_two_folders(options);
  if (options.fix.empty() && (!options.leave.empty() || options.link))
    throw usage_error("dataset check: --leave and --link go with --fix");
  keep_freed_memory();
  const dataset::doctor::Diagnosis diagnosis = diagnosis_of(options);
  std::vector<const dataset::Index*> indexes;
  for (const auto& split : diagnosis.subject.splits) indexes.push_back(&split.index);
  for (const dataset::Index* index : indexes) print_split(*index, output);
  nlohmann::json result = result_json(options, diagnosis, indexes);
  for (const std::string& line : dataset::doctor::lines_of(diagnosis, most_lines))
    output.line(line);
  rank_mistakes(options, diagnosis, result, output);
  write_fixed_set(options, diagnosis, result, output);
  write_report(options.out, result, output);
  if (unknown_classes(options, diagnosis, indexes) ||
      (options.strict && anything_wrong(options, diagnosis, indexes)))
    output.code = ExitCode::failure;
  return result;
}

}  // namespace yolov7::cli
