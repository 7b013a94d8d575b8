#include "dataset/formats/prepare_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "core/progress.hpp"
#include "core/setting_name.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "dataset/formats/choose_classes.hpp"
#include "dataset/formats/image_finder.hpp"
#include "dataset/formats/image_fit.hpp"
#include "dataset/formats/splits.hpp"
#include "dataset/index/picture_facts.hpp"
#include "image/codec/codec.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

struct Preparing {
  AnnotatedSet& set;
  const SourceTree& tree;
  const PrepareOptions& options;
  Conversion& account;
  std::vector<PictureFacts> facts;  ///< one per image of the tree; only those in use are filled
};

std::string name_of(const AnnotatedImage& image, const SourceTree& tree) {
  return tree.images[*image.picture].relative.string();
}

/// Names of splits become folders of what is written: none leads out of it.
void name_splits(Preparing& work) {
  std::set<std::string> told;
  for (AnnotatedImage& image : work.set.images) {
    image.split = split_name(image.split);
    if (image.split.empty()) continue;
    std::string folder = text::file_name(image.split);
    if (folder == image.split) continue;
    if (told.insert(image.split).second)
      work.account.notes.push_back(
          {image.annotation, image.line,
           fmt::format("the split '{}' has no name that a folder can have: it is called '{}'",
                       text::printable(image.split), folder)});
    image.split = std::move(folder);
  }
}

void assign_splits(Preparing& work) {
  std::vector<AnnotatedImage>& images = work.set.images;
  std::string& rule = work.account.split_rule;
  name_splits(work);
  const auto without = static_cast<std::size_t>(std::count_if(
      images.begin(), images.end(), [](const auto& image) { return image.split.empty(); }));
  if (without < images.size() || work.set.splits_are_final) {
    rule = work.set.split_rule.empty() ? "those of the source" : work.set.split_rule;
    if (!work.options.shares.empty())
      log::warning(fmt::format("{} is not used: {} decide", setting_name("split"), rule));
    if (work.set.splits_are_final || without == 0) return;
    for (AnnotatedImage& image : images)
      if (image.split.empty()) image.split = "train";
    work.account.notes.push_back(
        {work.account.source, 0,
         fmt::format("{} images are in no split, others are: these are taken into train",
                     without)});
    return;
  }
  draw_splits(images, work.options.shares, work.options.seed);
  std::vector<std::string> parts;
  for (const double share : work.options.shares) parts.push_back(text::general(share));
  rule = work.options.shares.empty() ? "everything in train"
                                     : fmt::format("{} percent, drawn with seed {}",
                                                   text::join(parts, ","), work.options.seed);
}

/// By the header alone.
PictureFacts look_at_header(const fs::path& path) {
  PictureFacts facts;
  const std::string source = path.string();
  try {
    const std::string bytes = file::read(path, DecodeLimits{}.file_bytes);
    if (const std::string why = why_unread(path, bytes); !why.empty()) throw Error(why);
    const PictureHeader header = read_picture_header(bytes, source);
    facts.width = header.width, facts.height = header.height;
    facts.orientation = header.orientation;
  } catch (const std::exception& error) {
    facts.fault = error.what();
    if (facts.fault.starts_with(source + ": ")) facts.fault.erase(0, source.size() + 2);
  }
  return facts;
}

SizeRule size_rule(const Preparing& work) {
  return work.options.scale_to_image       ? SizeRule::scale
         : work.set.trusts_size_of_picture ? SizeRule::note
                                           : SizeRule::drop;
}

/// Facts of these images of the tree.
void look_at(const std::vector<std::size_t>& wanted, Preparing& work, const std::stop_token& stop) {
  if (work.options.look) {
    std::vector<fs::path> files;
    for (const std::size_t i : wanted) files.push_back(work.tree.images[i].file);
    std::unordered_map<std::size_t, const AnnotatedImage*> records;
    for (const AnnotatedImage& image : work.set.images)
      if (image.fault.empty() && image.picture) records.emplace(*image.picture, &image);
    const auto expected = [&](std::size_t k, const PictureFacts& facts) {
      return fitted_copy(*records.at(wanted[k]), facts, size_rule(work), work.options.orientation);
    };
    std::vector<PictureFacts> facts = work.options.look(files, expected);
    if (facts.size() != files.size())
      throw Error(fmt::format("images: expected {} answers, found {}", files.size(), facts.size()));
    for (std::size_t k = 0; k < wanted.size(); ++k) work.facts[wanted[k]] = std::move(facts[k]);
    return;
  }
  Progress progress("reading images", wanted.size(), "images");
  parallel_for(wanted.size(), threads_or_all(work.options.threads), [&](std::size_t k) {
    check_stop(stop);
    const fs::path& file = work.tree.images[wanted[k]].file;
    PictureFacts& facts = work.facts[wanted[k]];
    facts = work.options.decode ? inspect_picture(file, work.options.least_side_px)
                                : look_at_header(file);
    progress.advance();
  });
}

/// Looks at the images that will be written; an unreadable one is a fault of its record.
void inspect(Preparing& work, const std::stop_token& stop) {
  std::vector<std::size_t> wanted;
  for (const AnnotatedImage& image : work.set.images)
    if (image.fault.empty() && image.picture) wanted.push_back(*image.picture);
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  work.facts.resize(work.tree.images.size());
  look_at(wanted, work, stop);
  for (AnnotatedImage& image : work.set.images) {
    if (!image.picture || !image.fault.empty()) continue;
    const std::string& fault = work.facts[*image.picture].fault;
    if (!fault.empty())
      image.fault =
          fmt::format("its image {} cannot be used: {}", name_of(image, work.tree), fault);
  }
}

using BoxKey = std::tuple<int, bool, bool, double, double, double, double>;

/// "image 'a.jpg': object 7: " where the line alone does not tell which one it is.
std::string which(const AnnotatedImage& image, const AnnotatedObject* object) {
  std::string text;
  if (image.shares_file) text += fmt::format("image '{}': ", text::printable(image.written));
  if (object != nullptr && object->line == 0 && !object->id.empty())
    text += fmt::format("object {}: ", text::printable(object->id));
  return text;
}

/// Class and clipped box of an object, or the reason why it is dropped.
std::string convert_object(AnnotatedObject& object, const AnnotatedImage& image, Preparing& work,
                           const std::vector<int>& classes, bool& clipped) {
  if (!object.fault.empty()) return object.fault;
  const std::string& name = work.set.classes[static_cast<std::size_t>(object.class_index)].name;
  object.class_index = classes[static_cast<std::size_t>(object.class_index)];
  if (object.class_index < 0)
    return fmt::format("class '{}' is not among {}", name, setting_name("names"));
  const Xyxy raw = object.box;
  clipped = clip_object(object, image.width, image.height);
  const double least = work.options.keep_degenerate ? 0 : 1;
  const double width = object.box.width(), height = object.box.height();
  if (width >= least && height >= least && width > 0 && height > 0) return "";
  return fmt::format(
      "box of class '{}' {}: corners {} {} {} {} leave {} × {} px in an image of {} × {}", name,
      least > 0 ? "under 1 px" : "without area", text::general(raw.x1), text::general(raw.y1),
      text::general(raw.x2), text::general(raw.y2), text::general(width), text::general(height),
      image.width, image.height);
}

bool same_shape(const AnnotatedObject& a, const AnnotatedObject& b) {
  return a.rings == b.rings && a.mask == b.mask && a.rotation == b.rotation && a.track == b.track &&
         a.key_points == b.key_points;
}

void convert_objects(AnnotatedImage& image, Preparing& work, const std::vector<int>& classes) {
  std::vector<AnnotatedObject> kept;
  kept.reserve(image.objects.size());
  std::map<BoxKey, std::vector<std::size_t>> seen;  // → places in `kept`
  for (AnnotatedObject& object : image.objects) {
    bool clipped = false;
    std::string reason = convert_object(object, image, work, classes, clipped);
    if (reason.empty()) {
      const Xyxy& b = object.box;
      auto& others =
          seen[BoxKey(object.class_index, object.crowd, object.ignore, b.x1, b.y1, b.x2, b.y2)];
      for (const std::size_t other : others)
        if (same_shape(kept[other], object))
          reason = fmt::format(
              "box of class '{}' {} {}",
              work.account.names[static_cast<std::size_t>(object.class_index)], same_corners,
              kept[other].line > 0 ? fmt::format("the one in line {}", kept[other].line)
                                   : fmt::format("object {}", kept[other].id));
      if (reason.empty()) others.push_back(kept.size());
    }
    if (!reason.empty()) {
      work.account.drop({"box", image.annotation, object.line, 1, which(image, &object) + reason});
      continue;
    }
    if (const std::size_t points = drop_points_outside(object, image.width, image.height))
      work.account.not_boxes["key point outside of its image"] += points;
    work.account.difficult += object.difficult ? 1 : 0;
    work.account.clipped += clipped ? 1 : 0;
    kept.push_back(std::move(object));
  }
  image.objects = std::move(kept);
}

SplitCount& count_of(Conversion& account, const std::string& split) {
  for (SplitCount& one : account.splits)
    if (one.name == split) return one;
  account.splits.push_back({split, 0, 0, 0, std::vector<std::size_t>(account.names.size())});
  return account.splits.back();
}

void count_image(const AnnotatedImage& image, Conversion& account) {
  SplitCount& count = count_of(account, image.split);
  ++count.pictures;
  count.boxes += image.objects.size();
  count.empty += image.objects.empty() ? 1 : 0;
  for (const AnnotatedObject& object : image.objects)
    ++count.boxes_per_class[static_cast<std::size_t>(object.class_index)];
}

/// Images with a reason why they are not used. Those around one file that was named are of other
/// sets, unless it names them.
void drop_unused(const std::vector<std::string>& reasons, Preparing& work) {
  std::size_t others = 0;
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    if (work.tree.one_file && reasons[i] == without_annotation)
      ++others;
    else if (!reasons[i].empty())
      work.account.drop({"image", work.tree.images[i].relative, 0, 0, reasons[i]});
  }
  work.account.pictures.in -= others;
  if (others > 0)
    work.account.notes.push_back(
        {work.account.source, 0,
         fmt::format("{} further images around it are not named in it: they are no part of the set",
                     others)});
}

void convert_images(Preparing& work, const std::vector<int>& classes) {
  for (const char* split : {"train", "val", "test"}) count_of(work.account, split);
  std::vector<std::string> unused(work.tree.images.size(), without_annotation);
  const SizeRule rule = size_rule(work);
  std::vector<AnnotatedImage> kept;
  kept.reserve(work.set.images.size());
  for (AnnotatedImage& image : work.set.images) {
    std::string reason = image.fault;
    if (reason.empty() && !image.picture) {
      image.width = image.written_width, image.height = image.written_height;
    } else if (reason.empty()) {
      const PictureFacts& facts = work.facts[*image.picture];
      const std::string name = name_of(image, work.tree);
      SizeVerdict verdict = fit_to_image(image, facts, rule, name, work.options.orientation);
      reason = std::move(verdict.fault);
      if (!verdict.note.empty())
        work.account.notes.push_back({image.annotation, image.line, std::move(verdict.note)});
      if (reason.empty() && !facts.rows.whole()) {
        ++work.account.truncated;
        work.account.notes.push_back({name, 0, describe(facts.rows)});
      }
    }
    if (image.picture && !unused[*image.picture].empty()) unused[*image.picture] = reason;
    if (!reason.empty()) {
      work.account.drop({"annotation", image.annotation, image.line, image.objects.size(),
                         which(image, nullptr) + reason});
      continue;
    }
    if (image.picture) {
      image.file = work.tree.images[*image.picture].file;
      image.content_hash = work.facts[*image.picture].content_hash;
      ++work.account.pictures.out;
    }
    convert_objects(image, work, classes);
    count_image(image, work.account);
    kept.push_back(std::move(image));
  }
  work.set.images = std::move(kept);
  drop_unused(unused, work);
}

void count_out(Preparing& work) {
  Conversion& account = work.account;
  for (const SplitCount& split : account.splits) {
    account.annotations.out += split.pictures;
    account.boxes.out += split.boxes;
  }
  std::erase_if(account.splits, [](const SplitCount& split) { return split.pictures == 0; });
  require_balance(account);
  if (!work.set.images.empty()) return;
  std::string message =
      fmt::format("{}: no image to convert: {} annotations and {} images found",
                  account.source.string(), account.annotations.in, work.tree.images.size());
  if (!account.drops.empty()) {
    const ConversionDrop& drop = account.drops.front();
    message +=
        fmt::format("; the first one left out is {}", text_of({drop.file, drop.line, drop.reason}));
  }
  throw Error(message);
}

/// The same picture in two splits.
void note_shared(Preparing& work) {
  std::unordered_map<std::string, const AnnotatedImage*> first;
  for (const AnnotatedImage& image : work.set.images) {
    if (image.content_hash.empty()) continue;
    const auto [known, fresh] = first.emplace(image.content_hash, &image);
    if (!fresh && known->second->split != image.split)
      work.account.notes.push_back(
          {name_of(image, work.tree), 0,
           fmt::format("the same image is in two splits: here in {}, as {} in {}", image.split,
                       name_of(*known->second, work.tree), known->second->split)});
  }
}

}  // namespace

void prepare_set(AnnotatedSet& set, const SourceTree& tree, const PrepareOptions& options,
                 Conversion& account, const std::stop_token& stop) {
  Preparing work{set, tree, options, account, {}};
  complete_point_names(set);
  account.annotations.in += set.images.size();
  account.pictures.in += tree.images.size();
  for (AnnotatedImage& image : set.images) {
    account.boxes.in += image.objects.size();
    if (!options.require_images && image.missing && image.written_width > 0 && !image.fractions)
      image.fault.clear();
  }
  account.annotations.out += settle_claims(set, tree, account.notes);
  assign_splits(work);
  inspect(work, stop);
  const std::vector<int> classes = choose_classes(set, options.names, account);
  convert_images(work, classes);
  std::vector<AnnotatedClass> chosen;
  for (const std::string& name : account.names) {
    const auto found = std::find_if(set.classes.begin(), set.classes.end(),
                                    [&](const AnnotatedClass& one) { return one.name == name; });
    chosen.push_back(found == set.classes.end() ? AnnotatedClass{name, {}, {}, {}} : *found);
  }
  set.classes = std::move(chosen);
  count_out(work);
  if (account.names.empty())
    throw Error(
        fmt::format("{}: expected at least one class, found no usable box in {} annotations",
                    account.source.string(), account.annotations.in));
  note_shared(work);
  warn_of_similar_names(account);
}

}  // namespace yolov7::dataset
