#include "dataset/formats/voc_import.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <tuple>
#include <unordered_map>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/progress.hpp"
#include "core/setting_name.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "dataset/formats/output_folder.hpp"
#include "dataset/formats/voc_lists.hpp"
#include "dataset/formats/voc_source.hpp"
#include "dataset/formats/yolo_layout.hpp"
#include "dataset/index/picture_facts.hpp"
#include "image/codec/codec.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

struct Import {
  VocFiles files;
  std::vector<VocItem> items;
  std::vector<PictureFacts>
      facts;  ///< one per picture; only those of items with a split are filled
  std::map<std::string, int> classes;
  Conversion result;
};

void assign_splits(const VocImportOptions& options, Import& work) {
  if (assign_listed_splits(work.files, work.items, work.result.notes)) {
    work.result.split_rule = "the lists in ImageSets";
    if (!options.shares.empty())
      log::warning(setting_name("split") + " is not used: the lists in ImageSets decide");
    return;
  }
  draw_splits(work.items, options.shares, options.seed);
  std::vector<std::string> parts;
  for (const double share : options.shares) parts.push_back(text::general(share));
  work.result.split_rule =
      options.shares.empty()
          ? "everything in train"
          : fmt::format("{} percent, drawn with seed {}", text::join(parts, ","), options.seed);
}

/// Decodes the pictures that will be written; an unreadable one is a fault of its item.
void inspect_pictures(Import& work, int threads, const std::stop_token& stop) {
  std::vector<std::size_t> wanted;
  for (const VocItem& item : work.items)
    if (item.fault.empty() && !item.split.empty()) wanted.push_back(*item.picture);
  work.facts.resize(work.files.pictures.size());
  Progress progress("reading pictures", wanted.size(), "pictures");
  parallel_for(wanted.size(), threads, [&](std::size_t k) {
    check_stop(stop);
    work.facts[wanted[k]] = inspect_picture(work.files.root / work.files.pictures[wanted[k]]);
    progress.advance();
  });
}

/// Why an item is left out, or "".
std::string leave_out_reason(const VocItem& item, const Import& work) {
  if (!item.fault.empty()) return item.fault;
  if (item.split.empty()) return "in none of the lists in ImageSets";
  const std::string& fault = work.facts[*item.picture].fault;
  return fault.empty() ? ""
                       : fmt::format("its picture {} cannot be used: {}",
                                     work.files.pictures[*item.picture].string(), fault);
}

void collect_classes(const VocImportOptions& options, Import& work) {
  std::vector<std::string>& names = work.result.names;
  if (options.names.empty()) {
    std::set<std::string> found;
    for (const VocItem& item : work.items)
      if (leave_out_reason(item, work).empty())
        for (const VocObject& object : item.annotation.objects)
          if (object.fault.empty()) found.insert(object.name);
    names.assign(found.begin(), found.end());
  } else {
    names = options.names;
  }
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!work.classes.emplace(names[i], static_cast<int>(i)).second)
      throw usage_error(fmt::format("{}: expected each class once, found '{}' twice",
                                    setting_name("names"), names[i]));
}

using BoxKey = std::tuple<int, double, double, double, double>;

/// Whether the annotation gives the size of the image as it is stored, and EXIF shows it turned by
/// a quarter: then its boxes are those of the stored image (old versions of labelImg write them
/// so).
bool is_of_stored_image(const VocAnnotation& a, const PictureFacts& facts) {
  return facts.orientation >= 5 && facts.width != facts.height && a.width == facts.height &&
         a.height == facts.width;
}

/// A box of the stored image in the image as it is shown. EXIF orientations 5 to 8 exchange the
/// axes (Exif 2.32, tag 0x0112). `facts` has the size as shown.
Xyxy turned(const Xyxy& box, const PictureFacts& facts) {
  const double stored_width = facts.height, stored_height = facts.width;
  const bool from_bottom = facts.orientation == 6 || facts.orientation == 7;
  const bool from_right = facts.orientation == 7 || facts.orientation == 8;
  const double x1 = from_bottom ? stored_height - box.y2 : box.y1;
  const double x2 = from_bottom ? stored_height - box.y1 : box.y2;
  const double y1 = from_right ? stored_width - box.x2 : box.x1;
  const double y2 = from_right ? stored_width - box.x1 : box.x2;
  return {x1, y1, x2, y2};
}

/// The class and clipped box of an object, or the reason why it is dropped.
std::string convert_object(const VocObject& object, const PictureFacts& facts, const Import& work,
                           int& class_index, Xyxy& box) {
  if (!object.fault.empty()) return object.fault;
  const auto found = work.classes.find(object.name);
  if (found == work.classes.end())
    return fmt::format("class '{}' is not among {}", object.name, setting_name("names"));
  class_index = found->second;
  box = clip(object.box_px, facts.width, facts.height);
  const Xyxy& raw = object.box_px;
  if (box.width() < 1 || box.height() < 1)
    return fmt::format(
        "box of class '{}' under 1 px: corners {} {} {} {} leave {} × {} px in a picture of {} × "
        "{}",
        object.name, text::general(raw.x1), text::general(raw.y1), text::general(raw.x2),
        text::general(raw.y2), text::general(box.width()), text::general(box.height()), facts.width,
        facts.height);
  return "";
}

std::vector<Label> convert_objects(const VocItem& item, Import& work) {
  const PictureFacts& facts = work.facts[*item.picture];
  std::vector<Label> labels;
  std::map<BoxKey, int> seen;
  const bool stored = is_of_stored_image(item.annotation, facts);
  for (VocObject object : item.annotation.objects) {
    if (stored) object.box_px = turned(object.box_px, facts);
    int class_index = 0;
    Xyxy box;
    std::string reason = convert_object(object, facts, work, class_index, box);
    if (reason.empty()) {
      const auto [first, fresh] =
          seen.emplace(BoxKey(class_index, box.x1, box.y1, box.x2, box.y2), object.line);
      if (!fresh)
        reason = fmt::format("box of class '{}' with the same corners as the one in line {}",
                             object.name, first->second);
    }
    if (!reason.empty()) {
      work.result.drop({"box", item.file, object.line, 1, reason});
      continue;
    }
    Label label;
    label.class_index = class_index;
    label.box = to_normalized(box, facts.width, facts.height);
    labels.push_back(std::move(label));
    work.result.difficult += object.difficult ? 1 : 0;
    work.result.clipped += box == object.box_px ? 0 : 1;
  }
  return labels;
}

void note_size(const VocItem& item, Import& work) {
  const PictureFacts& facts = work.facts[*item.picture];
  const VocAnnotation& a = item.annotation;
  const std::string name = work.files.pictures[*item.picture].string();
  const auto note = [&](std::string text) {
    work.result.notes.push_back({item.file, 0, std::move(text)});
  };
  if (is_of_stored_image(a, facts)) {
    note(
        fmt::format("its size {} × {} px is that of {} before it is turned by EXIF (orientation "
                    "{}): its boxes are turned with the image",
                    a.width, a.height, name, facts.orientation));
  } else if (a.width > 0 && a.height > 0 && (a.width != facts.width || a.height != facts.height)) {
    note(fmt::format("says the image is {} × {} px, but {} has {} × {}{}: its boxes may be wrong",
                     a.width, a.height, name, facts.width, facts.height,
                     facts.orientation > 1 ? " as EXIF shows it" : ""));
  } else if (facts.orientation > 1 && (facts.orientation < 5 || facts.width == facts.height ||
                                       a.width == 0 || a.height == 0)) {
    note(
        fmt::format("{} is turned or mirrored by EXIF (orientation {}), and sizes do not tell "
                    "whether the boxes are of the stored image: they are taken as of the image "
                    "that is shown",
                    name, facts.orientation));
  }
}

void count_in(Import& work) {
  work.result.annotations.in = work.items.size();
  work.result.pictures.in = work.files.pictures.size();
  for (const VocItem& item : work.items) work.result.boxes.in += item.annotation.objects.size();
}

/// Sorts the items into splits; what is left out is named.
std::vector<ExportSplit> build_splits(Import& work) {
  std::vector<ExportSplit> splits{{"train", {}}, {"val", {}}, {"test", {}}};
  for (const ExportSplit& split : splits)
    work.result.splits.push_back(
        {split.name, 0, 0, 0, std::vector<std::size_t>(work.result.names.size())});
  std::vector<std::string> unused(work.files.pictures.size(), "no annotation");
  for (const VocItem& item : work.items) {
    const std::string reason = leave_out_reason(item, work);
    if (item.picture) unused[*item.picture] = reason;
    if (!reason.empty()) {
      work.result.drop({"annotation", item.file, 0, item.annotation.objects.size(), reason});
      continue;
    }
    note_size(item, work);
    if (const DecodedRows& rows = work.facts[*item.picture].rows; !rows.whole())
      work.result.notes.push_back({work.files.pictures[*item.picture], 0, describe(rows)});
    const std::size_t which = item.split == "train" ? 0 : item.split == "val" ? 1 : 2;
    ExportItem one{work.files.root / work.files.pictures[*item.picture],
                   convert_objects(item, work)};
    SplitCount& count = work.result.splits[which];
    ++count.pictures;
    count.boxes += one.labels.size();
    count.empty += one.labels.empty() ? 1 : 0;
    for (const Label& label : one.labels)
      ++count.boxes_per_class[static_cast<std::size_t>(label.class_index)];
    splits[which].items.push_back(std::move(one));
  }
  for (std::size_t i = 0; i < unused.size(); ++i)
    if (!unused[i].empty()) work.result.drop({"picture", work.files.pictures[i], 0, 0, unused[i]});
  return splits;
}

void count_out(Import& work) {
  for (const SplitCount& split : work.result.splits) {
    work.result.annotations.out += split.pictures;
    work.result.pictures.out += split.pictures;
    work.result.boxes.out += split.boxes;
  }
  std::erase_if(work.result.splits, [](const SplitCount& split) { return split.pictures == 0; });
  require_balance(work.result);
  if (work.result.pictures.out > 0) return;
  std::string message =
      fmt::format("{}: no picture to convert: {} annotations and {} pictures found",
                  work.files.root.string(), work.items.size(), work.files.pictures.size());
  if (!work.result.drops.empty()) {
    const ConversionDrop& drop = work.result.drops.front();
    message +=
        fmt::format("; the first one left out is {}", text_of({drop.file, drop.line, drop.reason}));
  }
  throw Error(message);
}

/// The same picture in two splits.
void note_shared(Import& work) {
  std::unordered_map<std::string, const VocItem*> first;
  for (const VocItem& item : work.items) {
    if (!leave_out_reason(item, work).empty()) continue;
    const auto [known, fresh] = first.emplace(work.facts[*item.picture].content_hash, &item);
    if (!fresh && known->second->split != item.split)
      work.result.notes.push_back(
          {work.files.pictures[*item.picture], 0,
           fmt::format("the same picture is in two splits: here in {}, as {} in {}", item.split,
                       work.files.pictures[*known->second->picture].string(),
                       known->second->split)});
  }
}

}  // namespace

Conversion import_voc(const VocImportOptions& options) {
  require_empty(options.out);
  const int threads = threads_or_all(options.threads);
  Import work;
  work.result.source = options.source;
  work.result.out = options.out;
  work.files = find_voc_files(options.source);
  work.result.notes = work.files.skipped;
  work.items = read_annotations(work.files, threads, options.stop);
  assign_pictures(work.files, work.items);
  assign_splits(options, work);
  inspect_pictures(work, threads, options.stop);
  collect_classes(options, work);
  count_in(work);
  const std::vector<ExportSplit> splits = build_splits(work);
  count_out(work);
  if (work.result.names.empty())
    throw Error(
        fmt::format("{}: expected at least one class, found no usable box in {} annotations",
                    options.source.string(), work.items.size()));
  note_shared(work);
  build_folder(options.out, [&](const fs::path& temporary) {
    const ExportReport report =
        export_yolo(temporary, work.result.names, splits, options.hard_link, options.stop);
    work.result.renamed = report.renamed;
    work.result.val_is_train = report.val_is_train;
    file::write_atomically(temporary / "conversion.json", json_text(to_json(work.result), 2) + "\n",
                           file::Sync::later);
  });
  return std::move(work.result);
}

}  // namespace yolov7::dataset
