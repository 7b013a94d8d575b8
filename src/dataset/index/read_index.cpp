#include "dataset/index/read_index.hpp"

#include <fmt/format.h>

#include <atomic>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <system_error>
#include <unordered_map>
#include <unordered_set>

#include "core/encoding.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "dataset/index/cached_facts.hpp"
#include "dataset/index/index_report.hpp"
#include "dataset/index/picture_cache.hpp"
#include "dataset/index/ready_set.hpp"
#include "image/codec/codec.hpp"
#include "image/codec/file_kind.hpp"
#include "image/codec/truncated.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

struct ReadLabels {
  fs::path path;
  bool found = false;
  LabelFile file;
};

int thread_count(const IndexOptions& options) { return threads_or_all(options.threads); }

/// What a split consists of, in the order of its pictures.
struct Contents {
  std::vector<fs::path> pictures;
  std::vector<ReadLabels> labels;
  std::vector<PictureFacts> facts;
};

void look_at_pictures(Contents& contents, const IndexOptions& options, Index& index) {
  const auto folders = cache_folders(label_path(contents.pictures.front()));
  CachedFacts found =
      cached_facts(contents.pictures,
                   {folders, index.split, folders.front().parent_path(), "reading " + index.split,
                    options.recheck, options.threads, options.stop, options.examination});
  contents.facts = std::move(found.facts);
  index.pictures_read = found.read;
  index.cache_file = found.cache_file;
}

/// Images that open_data() has read without being asked for what the examination wants to know.
/// Returns how many.
std::size_t look_again(const Contents& contents, const fs::path& cache_file,
                       const Examination& examination, const IndexOptions& options) {
  std::atomic<std::size_t> read = 0;
  if (examination.begin) examination.begin(contents.pictures);
  if (!examination.look) return 0;
  if (examination.opened) examination.opened(cache_file);
  parallel_for(contents.pictures.size(), thread_count(options), [&](std::size_t i) {
    check_stop(options.stop);
    if (examination.known && examination.known(i, contents.facts[i])) return;
    ++read;
    inspect_picture(contents.pictures[i], 10,
                    [&](std::string_view bytes, const PicturePlanes& planes) {
                      examination.look(i, bytes, planes);
                    });
  });
  return read;
}

/// Of a set that open_data() has prepared.
Contents ready_contents(const ReadySet& ready, const IndexOptions& options, Index& index) {
  Contents contents;
  for (const ReadyImage& image : ready.splits.at(index.split)) {
    contents.pictures.push_back(image.picture);
    contents.labels.push_back({image.annotation, image.annotated, image.labels});
    contents.facts.push_back(image.facts);
  }
  index.pictures_read = ready.pictures_read;
  index.cache_file = ready.cache_file;
  if (options.examination != nullptr)
    index.pictures_read += look_again(contents, ready.cache_file, *options.examination, options);
  return contents;
}

/// Label files are read at every start, so that a change is always seen.
ReadLabels read_labels(const fs::path& picture, const Description& description, int class_count,
                       bool strict, const std::function<void(const LabelText&)>& tell) {
  constexpr std::uint64_t most_bytes = 64u << 20;
  ReadLabels result;
  result.path = label_path(picture);
  std::error_code error;
  result.found = fs::exists(result.path, error);
  LabelText label{result.path, result.found, {}, {}};
  std::string content;
  if (result.found) {
    try {
      content = text::as_utf8(file::read(result.path, most_bytes), result.path.string());
      result.file = try_parse_labels(content, result.path, class_count, strict,
                                     description.key_point_columns);
      label.text = content;
    } catch (const Error& failure) {
      label.fault = failure.what();
      std::string reason = failure.what();
      const std::string source = result.path.string() + ": ";
      if (reason.starts_with(source)) reason.erase(0, source.size());
      result.file.fault = LabelFault::format;
      result.file.failure = {result.path, 0, reason};
    }
  }
  if (tell) tell(label);
  return result;
}

/// Once for all: what stands in the files and is not used.
void note_key_points(const Description& description, const std::string& reason,
                     const std::vector<ReadLabels>& labels, Index& index) {
  std::size_t rows = 0;
  for (const ReadLabels& one : labels) rows += one.file.with_key_points;
  if (rows > 0)
    index.notes.push_back({description.file, 0,
                           fmt::format("{}: the key points of {} labels are not used, their "
                                       "boxes are",
                                       reason, rows)});
}

/// The labels of all pictures. Where data.yaml does not say what rows of more columns are, all rows
/// together do, and they are read again if they hold key points.
std::vector<ReadLabels> read_all_labels(const std::vector<fs::path>& pictures,
                                        Description description, const IndexOptions& options,
                                        Index& index) {
  std::vector<ReadLabels> labels(pictures.size());
  // With --single-cls every class becomes 0, whatever the description knows.
  const int class_count = options.single_cls ? 0 : description.class_count;
  Examination* examination = options.examination;
  const auto read = [&] {
    if (examination != nullptr) examination->key_point_columns = description.key_point_columns;
    parallel_for(pictures.size(), thread_count(options), [&](std::size_t i) {
      check_stop(options.stop);
      std::function<void(const LabelText&)> tell;
      if (examination != nullptr && examination->label)
        tell = [&](const LabelText& label) { examination->label(i, label); };
      labels[i] = read_labels(pictures[i], description, class_count, options.strict, tell);
    });
  };
  read();
  std::string reason = "kpt_shape";
  LongRows rows;
  for (const ReadLabels& one : labels) rows.join(one.file.long_rows);
  if (!description.no_key_points && hold_key_points(rows)) {
    reason = key_point_reason(rows);
    description.key_point_columns = static_cast<int>(rows.columns - label_box_columns);
    read();
  }
  note_key_points(description, reason, labels, index);
  return labels;
}

/// A class that the data description does not know is no bad row but a wrong description:
/// everything stops.
void refuse_unknown_classes(const std::vector<ReadLabels>& labels) {
  const ReadLabels* first = nullptr;
  std::size_t more = 0;
  for (const ReadLabels& one : labels) {
    if (one.file.fault != LabelFault::class_out_of_range) continue;
    if (first == nullptr)
      first = &one;
    else
      ++more;
  }
  if (first == nullptr) return;
  throw Error(text_of(first->file.failure) +
              (more > 0 ? fmt::format(" (and in {} more label files)", more) : ""));
}

/// Counts and keeps one picture, or names the reason why not (data 4: the label file counts only
/// for a good picture).
void add_entry(const fs::path& picture, const PictureFacts& facts, ReadLabels&& labels,
               bool single_cls, Index& index) {
  if (!labels.file.unknown_classes.empty()) ++index.unknown_class_files;
  index.unknown_classes += labels.file.unknown_classes.size();
  std::move(labels.file.unknown_classes.begin(), labels.file.unknown_classes.end(),
            std::back_inserter(index.problems));
  if (!facts.fault.empty() && file_kind(picture) != FileKind::image) {
    ++index.unread;
    index.problems.push_back({picture, 0, "not looked at: " + facts.fault});
    return;
  }
  if (!facts.fault.empty()) {
    ++index.corrupt;
    index.problems.push_back({picture, 0, "ignoring corrupted image: " + facts.fault});
    return;
  }
  if (!facts.rows.whole()) {
    ++index.truncated;
    index.notes.push_back({picture, 0, describe(facts.rows)});
  }
  ++(labels.found ? index.found : index.missing);
  if (labels.file.fault == LabelFault::class_out_of_range) return;
  if (labels.file.fault != LabelFault::none) {
    ++index.corrupt;
    index.problems.push_back(labels.file.failure);
    index.problems.back().reason +=
        fmt::format(" (ignoring corrupted label and its image {})", picture.filename().string());
    return;
  }
  for (Problem& problem : labels.file.dropped) index.problems.push_back(std::move(problem));
  if (labels.found && labels.file.labels.empty()) ++index.empty;
  Entry entry{picture,      facts.width,       facts.height, std::move(labels.file.labels),
              labels.found, facts.content_hash};
  if (single_cls)
    for (Label& label : entry.labels) label.class_index = 0;
  index.entries.push_back(std::move(entry));
}

/// Label files for which no picture of the same stem lies in the folder that they belong to. Only
/// where labels have a folder of their own; a list that takes some pictures of a folder makes no
/// orphans of the rest.
void find_orphans(const std::vector<fs::path>& pictures, const std::vector<ReadLabels>& labels,
                  Examination* examination, Index& index) {
  std::map<fs::path, std::set<fs::path>> picture_folders;
  for (std::size_t i = 0; i < pictures.size(); ++i)
    if (labels[i].path.parent_path() != pictures[i].parent_path())
      picture_folders[labels[i].path.parent_path()].insert(pictures[i].parent_path());
  for (const auto& [label_folder, folders] : picture_folders) {
    std::error_code error;
    std::unordered_set<std::string> stems;
    for (const fs::path& folder : folders)
      for (const fs::directory_entry& file : fs::directory_iterator(folder, error))
        if (is_picture_name(file.path())) stems.insert(file.path().stem().string());
    std::set<fs::path> orphans;
    for (const fs::directory_entry& file : fs::directory_iterator(label_folder, error)) {
      const fs::path name = file.path().filename();
      if (name.extension() == ".txt" && !name.native().starts_with('.') && name != "classes.txt" &&
          !stems.contains(name.stem().string()))
        orphans.insert(file.path());
    }
    index.orphan_labels += orphans.size();
    if (examination != nullptr)
      examination->orphans.insert(examination->orphans.end(), orphans.begin(), orphans.end());
    for (const fs::path& path : orphans)
      index.problems.push_back({path, 0, "label file without an image"});
  }
}

std::string identity(const Index& index) {
  std::string all;
  for (const std::string& name : index.names) all += name + '\n';
  for (const Entry& entry : index.entries) all += identity(entry);
  return file::content_hash(all);
}

/// training 5: "item" unless the description has exactly one name.
std::vector<std::string> class_names(const Description& description, bool single_cls) {
  if (single_cls && description.names.size() != 1) return {"item"};
  return description.names;
}

Contents read_contents(const Description& description, const std::vector<fs::path>& sources,
                       const IndexOptions& options, Index& index) {
  Contents contents;
  std::vector<AbsentPicture> absent;
  contents.pictures = collect_pictures(sources, &absent);
  index.absent = absent.size();
  for (const AbsentPicture& one : absent)
    index.problems.push_back(
        {one.list, one.line, fmt::format("the image '{}' does not exist", one.name)});
  if (options.examination != nullptr && options.examination->begin)
    options.examination->begin(contents.pictures);
  contents.labels = read_all_labels(contents.pictures, description, options, index);
  if (options.examination == nullptr) refuse_unknown_classes(contents.labels);
  look_at_pictures(contents, options, index);
  return contents;
}

MissingExample missing_example(const std::vector<fs::path>& pictures,
                               const std::vector<ReadLabels>& labels) {
  for (std::size_t i = 0; i < pictures.size(); ++i)
    if (!labels[i].found) return {pictures[i], labels[i].path};
  return {pictures.front(), labels.front().path};
}

void require_usable(const Index& index, const MissingExample& example,
                    const Description& description, bool training) {
  if (index.entries.empty())
    throw Error(fmt::format("{}: no usable image in split '{}': all {} are corrupt, the first: {}",
                            description.file.string(), index.split, index.corrupt + index.unread,
                            text_of(index.problems.front())));
  if (!training) return;
  if (description.ready && index.label_count() == 0)
    throw Error(fmt::format("{}: the {} images of split '{}' hold no object, cannot train without",
                            description.file.string(), index.entries.size(), index.split));
  if (index.found == 0)
    throw Error(fmt::format(
        "{}: no labels found for split '{}', cannot train without; the labels of {} were looked "
        "for at {}",
        description.file.string(), index.split, example.picture.string(), example.label.string()));
  if (index.label_count() == 0)
    throw Error(
        fmt::format("{}: the {} label files of split '{}' hold no object, cannot train without; "
                    "the first is {}",
                    description.file.string(), index.found, index.split,
                    label_path(index.entries.front().picture).string()));
}

}  // namespace

Index read_index(const Description& description, const std::string& split,
                 const IndexOptions& options) {
  Index index;
  index.split = split;
  index.names = class_names(description, options.single_cls);
  const std::vector<fs::path>& sources = description.split(split);
  if (sources.empty())
    throw Error(fmt::format("{}: expected {} '{}' with images, found none",
                            description.file.string(), description.ready ? "a split" : "a key",
                            split));
  Contents contents = description.ready ? ready_contents(*description.ready, options, index)
                                        : read_contents(description, sources, options, index);
  const auto& [pictures, labels, facts] = contents;
  if (options.examination != nullptr) options.examination->facts = facts;
  const MissingExample example = missing_example(pictures, labels);
  for (std::size_t i = 0; i < pictures.size(); ++i)
    add_entry(pictures[i], facts[i], std::move(contents.labels[i]), options.single_cls, index);
  if (!description.ready) find_orphans(pictures, labels, options.examination, index);
  index.identity = identity(index);
  report(index, example);
  if (options.examination == nullptr) require_usable(index, example, description, options.training);
  return index;
}

}  // namespace yolov7::dataset
