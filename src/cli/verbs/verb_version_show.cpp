// yolov7 dataset version list; … show NAME@ID; … diff A B
#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "cli/verbs/version_options.hpp"
#include "core/interrupt.hpp"
#include "versions/diff.hpp"
#include "versions/snapshot.hpp"

namespace yolov7::cli {
namespace {

struct ListOptions {
  std::string name, store;
};
Settings settings(ListOptions& o) {
  return {"dataset version list",
          {setting("name", o.name, "of one data set; without: all").positional(),
           store_setting(o.store)}};
}

struct ShowOptions {
  std::string version, store;
  bool files = false;
};
Settings settings(ShowOptions& o) {
  return {"dataset version show",
          {setting("version", o.version, "NAME, NAME@v3 or NAME@ID").positional(),
           setting("files", o.files, "one line for each image: split, path, SHA-256"),
           store_setting(o.store)}};
}

struct DiffOptions {
  std::vector<std::string> versions;
  std::string data, from = "auto", store;
  int most = 10, threads = 0;
};
Settings settings(DiffOptions& o) {
  return {"dataset version diff",
          {setting("versions", o.versions, "the version before and the one after").positional(),
           setting("data", o.data,
                   "instead of the second one: a data set as it lies in its folder now"),
           setting("from", o.from, "--data: format of the annotations"),
           setting("most", o.most, "names that a line shows; --json has all").range(1, 1'000'000),
           store_setting(o.store),
           setting("workers", o.threads, "threads, 0 = usable cores").range(0, 1024)}};
}

struct SplitCounts {
  std::size_t images = 0, boxes = 0, empty = 0, not_annotated = 0;
};

std::map<std::string, SplitCounts> count_splits(versions::Store& store,
                                                const versions::Content& content,
                                                std::vector<std::size_t>& by_class) {
  std::map<std::string, SplitCounts> splits;
  const int columns = content.classes.key_points * content.classes.key_point_values;
  by_class.assign(content.classes.classes.size(), 0);
  for (const versions::Item& item : content.items) {
    SplitCounts& count = splits[item.split];
    ++count.images;
    if (!item.annotations) {
      ++count.not_annotated;
      continue;
    }
    const auto shapes =
        versions::parse_annotations(store.text(*item.annotations), columns, item.path).shapes;
    count.boxes += shapes.size();
    count.empty += shapes.empty() ? 1 : 0;
    for (const versions::Shape& shape : shapes)
      if (shape.is_box && static_cast<std::size_t>(shape.class_index) < by_class.size())
        ++by_class[static_cast<std::size_t>(shape.class_index)];
  }
  return splits;
}

/// The content of a folder with its texts, and how to find a text.
struct Working {
  versions::Snapshot snapshot;
  explicit Working(const DiffOptions& o, versions::Store& store)
      : snapshot(versions::take_snapshot(
            versions::read_working_set(o.data, o.from, o.threads, interrupt::token()), store,
            {false, false, o.threads, interrupt::token()})) {}
};

versions::Diff diff_with_folder(const DiffOptions& o, versions::Store& store,
                                const versions::Entry& before, versions::ClassList& classes) {
  Working working(o, store);
  classes = working.snapshot.content.classes;
  return versions::diff_contents(
      store.content(before.id), working.snapshot.content, [&](const Digest& digest) {
        const auto found = working.snapshot.texts.find(digest);
        return found != working.snapshot.texts.end() ? found->second : store.text(digest);
      });
}

}  // namespace

nlohmann::json run_version_list(const std::vector<std::string>& arguments, Output& output) {
  ListOptions o;
  if (!parse_arguments(settings(o), arguments, output)) return {};
  versions::Store store = open_store(o.store);
  const auto entries = store.history(o.name);
  if (!o.name.empty() && entries.empty()) store.find(o.name + "@v1");  // names those there are
  nlohmann::json list = nlohmann::json::array();
  for (const versions::Entry& entry : entries) {
    output.line(fmt::format("{}  {}  {}", entry.created, entry_line(entry), entry.message));
    list.push_back(entry_json(entry));
  }
  if (entries.empty()) output.line("no version");
  return {{"store", store.folder().string()}, {"versions", std::move(list)}};
}

nlohmann::json run_version_show(const std::vector<std::string>& arguments, Output& output) {
  ShowOptions o;
  if (!parse_arguments(settings(o), arguments, output)) return {};
  require_reference("show", o.version);
  versions::Store store = open_store(o.store);
  const versions::Entry entry = store.find(o.version);
  const versions::Content content = store.content(entry.id);
  std::vector<std::size_t> by_class;
  const auto splits = count_splits(store, content, by_class);
  nlohmann::json result = entry_json(entry);
  output.line(entry_line(entry));
  output.line(fmt::format("id: {}", hex(entry.id)));
  output.line(fmt::format("made: {} by {} with {}", entry.created, entry.author, entry.program));
  if (!entry.message.empty()) output.line(fmt::format("message: {}", entry.message));
  for (const auto& parent : {entry.parent, entry.second_parent})
    if (parent) output.line(fmt::format("from: {}", hex(*parent)));
  for (const auto& [split, count] : splits) {
    output.line(fmt::format("{}: {} images, {} boxes; {} images empty on purpose, {} not annotated",
                            split, count.images, count.boxes, count.empty, count.not_annotated));
    result["splits"][split] = {{"images", count.images},
                               {"boxes", count.boxes},
                               {"empty", count.empty},
                               {"not_annotated", count.not_annotated}};
  }
  result["classes"] = nlohmann::json::array();
  for (std::size_t i = 0; i < by_class.size(); ++i) {
    output.line(fmt::format("  {:>8}  {}", by_class[i], content.classes.classes[i].name));
    result["classes"].push_back(
        {{"name", content.classes.classes[i].name}, {"boxes", by_class[i]}});
  }
  if (content.recipe) {
    output.line("recipe:\n" + *content.recipe);
    result["recipe"] = *content.recipe;
  }
  if (!o.files) return result;
  result["files"] = nlohmann::json::array();
  for (const versions::Item& item : content.items) {
    output.line(fmt::format("{}  {}  {}", item.split, item.path, hex(item.image)));
    result["files"].push_back(
        {{"split", item.split}, {"path", item.path}, {"sha256", hex(item.image)}});
  }
  return result;
}

nlohmann::json run_version_diff(const std::vector<std::string>& arguments, Output& output) {
  DiffOptions o;
  if (!parse_arguments(settings(o), arguments, output)) return {};
  const std::size_t wanted = o.data.empty() ? 2 : 1;
  if (o.versions.size() != wanted)
    throw usage_error(
        fmt::format("dataset version diff: expected two versions, or one and --data, found {}{}",
                    o.versions.size(), o.data.empty() ? "" : " and --data"));
  versions::Store store = open_store(o.store);
  const versions::Entry before = store.find(o.versions[0]);
  versions::ClassList old_classes = store.classes(store.root(before.id).classes), new_classes;
  versions::Diff diff;
  std::string after = o.data;
  if (o.data.empty()) {
    const versions::Entry entry = store.find(o.versions[1]);
    after = versions::label_of(entry);
    new_classes = store.classes(store.root(entry.id).classes);
    diff = versions::diff_versions(store, before.id, entry.id);
  } else {
    diff = diff_with_folder(o, store, before, new_classes);
  }
  output.line(fmt::format("{} to {}:", versions::label_of(before), after));
  for (const std::string& line : versions::summary_lines(diff, static_cast<std::size_t>(o.most)))
    output.line(line);
  nlohmann::json result = versions::to_json(diff, old_classes, new_classes);
  result["before"] = versions::full_name(before);
  result["after"] = after;
  return result;
}

}  // namespace yolov7::cli
