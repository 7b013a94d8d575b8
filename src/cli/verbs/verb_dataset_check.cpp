// yolov7 dataset check --data data.yaml, or annotations of any format
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "dataset/formats/open_data.hpp"
#include "dataset/index/index.hpp"
#include "dataset/index/index_report.hpp"
#include "dataset/index/read_index.hpp"
#include "dataset/index/ready_set.hpp"
#include "image/codec/truncated.hpp"

namespace yolov7::cli {
namespace {

constexpr std::size_t most_lines = 10;

struct CheckOptions {
  std::string data;
  bool recheck = false, strict = false, single_cls = false;
  TruncatedRule truncated;
};

Settings settings(CheckOptions& o) {
  Settings table{
      "dataset check",
      {
          setting("data", o.data, "data.yaml, or annotations of any format").positional(),
          setting("recheck", o.recheck, "read every image again, whatever the cache says"),
          setting("strict", o.strict,
                  "a repeated row or a box without area makes its image unusable; exit code 1 if "
                  "anything is dropped"),
          setting("single-cls", o.single_cls, "all classes count as one"),
      }};
  table.entries = joined({std::move(table.entries), truncated_settings(o.truncated, "")});
  return table;
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
nlohmann::json check_shared(const std::vector<dataset::Index>& indexes) {
  nlohmann::json result = nlohmann::json::array();
  for (std::size_t a = 0; a < indexes.size(); ++a)
    for (std::size_t b = a + 1; b < indexes.size(); ++b) {
      const auto shared = dataset::shared_pictures(indexes[a], indexes[b]);
      if (shared.empty()) continue;
      log::warning(fmt::format("{} images are in {} and in {}: results on {} are too good",
                               shared.size(), indexes[a].split, indexes[b].split,
                               indexes[b].split));
      for (std::size_t i = 0; i < shared.size(); ++i) {
        if (i < most_lines)
          log::warning(
              fmt::format("  {} = {}", shared[i].first.string(), shared[i].second.string()));
        result.push_back({{"splits", {indexes[a].split, indexes[b].split}},
                          {"pictures", {shared[i].first.string(), shared[i].second.string()}}});
      }
      if (shared.size() > most_lines)
        log::warning(fmt::format("  and {} more", shared.size() - most_lines));
    }
  return result;
}

}  // namespace

nlohmann::json run_dataset_check(const std::vector<std::string>& arguments, Output& output) {
  CheckOptions options;
  if (!parse_arguments(settings(options), arguments, output)) return {};
  if (options.data.empty())
    throw usage_error("dataset check: expected --data with a data.yaml or annotations, found none");
  set_truncated_rule(options.truncated);
  const dataset::Description description =
      dataset::open_data(options.data, {options.recheck, false, 0, interrupt::token()});
  dataset::IndexOptions reading;
  reading.recheck = options.recheck;
  reading.strict = options.strict;
  reading.single_cls = options.single_cls;
  reading.keep_unknown_classes = true;
  reading.stop = interrupt::token();
  std::vector<dataset::Index> indexes;
  for (const char* split : {"train", "val", "test"})
    if (!description.split(split).empty())
      indexes.push_back(dataset::read_index(description, split, reading));
  nlohmann::json result = {{"data", options.data},
                           {"names", indexes.front().names},
                           {"splits", nlohmann::json::object()}};
  bool dropped = description.ready && description.ready->dropped > 0;
  if (description.ready) result["account"] = nlohmann::json::parse(description.ready->account);
  for (const dataset::Index& index : indexes) {
    print_split(index, output);
    result["splits"][index.split] = split_json(index);
    dropped = dropped || !index.problems.empty();
    if (index.unknown_classes > 0) output.code = ExitCode::failure;
  }
  result["shared"] = check_shared(indexes);
  if (options.strict && dropped) output.code = ExitCode::failure;
  return result;
}

}  // namespace yolov7::cli
