#include "versions/checkout.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
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
#include "dataset/formats/format_table.hpp"
#include "dataset/formats/image_output.hpp"
#include "dataset/formats/output_folder.hpp"
#include "dataset/formats/yolo_layout.hpp"
#include "dataset/index/label.hpp"
#include "image/codec/codec.hpp"
#include "versions/annotations.hpp"
#include "versions/class_points.hpp"

namespace yolov7::versions {
namespace fs = std::filesystem;
namespace {

/// What a checkout works with.
struct Work {
  Store& store;
  const Digest& id;
  const CheckoutOptions& options;
  Content content;
  KnownObjects known;
  CheckedOut result;
  std::mutex mutex;
  Work(Store& from, const Digest& version, const CheckoutOptions& how)
      : store(from),
        id(version),
        options(how),
        content(from.content(version)),
        known(from.known_objects()) {}
  int threads() const { return threads_or_all(options.threads); }
};

void make_parents(const std::set<fs::path>& folders) {
  for (const fs::path& folder : folders) file::make_folder(folder);
}

/// The image of an item, whole, at `to`.
void take_image(Work& work, const Item& item, const fs::path& to) {
  const auto known = work.known.find(item.image);
  if (known == work.known.end() || !work.store.objects().whole(item.image, known->second))
    throw Error(
        fmt::format("{}: the image of {} is damaged or gone; `yolov7 dataset version "
                    "verify` names all such",
                    work.store.objects().path_of(item.image).string(), text::printable(item.path)));
  const Transfer how = work.store.objects().take_out(item.image, to, work.options.copy);
  const std::lock_guard lock(work.mutex);
  ++work.result.by_transfer[static_cast<std::size_t>(how)];
}

/// Each path once: an image of two splits is one file. Error: it is another image there, or has
/// other annotations.
std::vector<const Item*> items_by_path(const Work& work) {
  std::vector<const Item*> items;
  for (const Item& item : work.content.items) {
    if (items.empty() || items.back()->path != item.path) {
      items.push_back(&item);
      continue;
    }
    const Item& first = *items.back();
    if (first.image != item.image || first.annotations != item.annotations)
      throw Error(fmt::format(
          "{}: expected one image with one set of annotations at {}, found two, of "
          "the splits {} and {}: expected {} with another format",
          work.options.out.string(), text::printable(item.path), text::printable(first.split),
          text::printable(item.split), setting_name("format")));
  }
  return items;
}

/// Texts one after the other from the database, on one thread.
Texts annotation_texts(Work& work) {
  Texts texts;
  Statement rows(work.store.database(), "SELECT content FROM text WHERE hash = ?");
  for (const Item& item : work.content.items) {
    if (!item.annotations || texts.contains(*item.annotations)) continue;
    if (!rows.bind(0, *item.annotations).step()) work.store.text(*item.annotations);  // throws
    texts.emplace(*item.annotations, rows.text(0));
    rows.reset();
  }
  return texts;
}

void write_lists(Work& work, const fs::path& folder) {
  std::map<std::string, std::string> lists;
  for (const Item& item : work.content.items) {
    if (item.path.find_first_of("\r\n") != std::string::npos)
      throw Error(
          fmt::format("{}: a list of images has one in each line: expected a path without "
                      "line feeds, found {}",
                      folder.string(), text::printable(item.path)));
    lists[item.split] += "./" + item.path + "\n";
  }
  std::string note;
  std::vector<std::pair<std::string, std::string>> entries;
  for (const auto& [split, list] : lists) {
    const std::string name = text::file_name(split) + ".txt";
    if (fs::exists(folder / name))
      throw Error(fmt::format("{}: two splits of this version would share the list {}",
                              work.options.out.string(), name));
    file::write_atomically(folder / name, list, file::Sync::later);
    entries.emplace_back(split, name);
  }
  if (!lists.contains("val")) {
    work.result.val_is_train = true;
    note = "There are no validation images: val names others, so results on it say nothing.";
    entries.emplace_back("val", entries.front().second);
  }
  const auto rank = [](const std::string& split) {
    return split == "train" ? 0 : split == "val" ? 1 : split == "test" ? 2 : 3;
  };
  std::stable_sort(entries.begin(), entries.end(),
                   [&](const auto& a, const auto& b) { return rank(a.first) < rank(b.first); });
  std::vector<std::string> names;
  for (const ClassList::Entry& one : work.content.classes.classes) names.push_back(one.name);
  std::string description = dataset::description_text(entries, names, note);
  if (work.content.classes.key_points > 0)
    description += fmt::format("kpt_shape: [{}, {}]\n", work.content.classes.key_points,
                               work.content.classes.key_point_values);
  file::write_atomically(folder / "data.yaml", description, file::Sync::later);
}

/// Where the label file of an image goes; it must be in the folder, too.
fs::path label_place(const fs::path& image, const fs::path& folder, const fs::path& out) {
  const fs::path label = dataset::label_path(image);
  if (!label.native().starts_with(folder.native() + "/"))
    throw Error(
        fmt::format("{}: the label file of {} would lie outside of this folder, because a "
                    "folder above it is called images: expected another place for the "
                    "output",
                    out.string(), image.lexically_relative(folder).string()));
  return label;
}

/// The folder gets its name when all is written, so a file needs no care of its own.
void write_label(const fs::path& label, const std::string& rows) {
  std::ofstream file(label, std::ios::binary);
  file << rows << std::flush;
  if (!file) throw Error(fmt::format("{}: cannot write: {}", label.string(), std::strerror(errno)));
}

void make_read_only(const fs::path& file) {
  constexpr fs::perms write =
      fs::perms::owner_write | fs::perms::group_write | fs::perms::others_write;
  std::error_code ignored;
  fs::permissions(file, write, fs::perm_options::remove, ignored);
}

/// Folders of all images and label files. Error: two images whose names differ in the suffix alone
/// would share a label file, but have different annotations.
std::set<fs::path> folders_of(const Work& work, const std::vector<const Item*>& items,
                              const fs::path& folder) {
  std::set<fs::path> folders;
  std::unordered_map<std::string, const Item*> by_label;
  std::set<std::string> images;
  for (const Item* item : items) images.insert((folder / item->path).native());
  for (const Item* item : items) {
    const fs::path image = folder / item->path;
    const fs::path label = label_place(image, folder, work.options.out);
    folders.insert(image.parent_path());
    folders.insert(label.parent_path());
    if (images.contains(label.native()))  // writing it would write into the image
      throw Error(
          fmt::format("{}: expected another place for an image than that of the label "
                      "file of {}, found the image {}",
                      work.options.out.string(), text::printable(item->path),
                      text::printable(label.lexically_relative(folder).string())));
    const auto [other, fresh] = by_label.emplace(label.native(), item);
    if (!fresh && other->second->annotations != item->annotations)
      throw Error(
          fmt::format("{}: {} and {} would share a label file, but their annotations "
                      "differ: expected {} with another format",
                      work.options.out.string(), text::printable(other->second->path),
                      text::printable(item->path), setting_name("format")));
  }
  return folders;
}

void write_plain(Work& work, const fs::path& folder) {
  const std::vector<const Item*> items = items_by_path(work);
  const Texts texts = annotation_texts(work);
  make_parents(folders_of(work, items, folder));
  Progress progress("writing", items.size(), "images");
  parallel_for(items.size(), work.threads(), [&](std::size_t i) {
    check_stop(work.options.stop);
    const Item& item = *items[i];
    const fs::path image = folder / item.path;
    take_image(work, item, image);
    if (item.annotations) {
      const fs::path label = dataset::label_path(image);
      const std::string& text = texts.at(*item.annotations);
      write_label(label, labels_of_text(text));
      if (work.options.read_only) make_read_only(label);
      const std::lock_guard lock(work.mutex);
      ++work.result.labels;
      work.result.odd_rows += odd_row_count(text);
    }
    progress.advance();
  });
  write_lists(work, folder);
}

/// Whether every annotation is rows of label files.
bool all_rows(const Texts& texts) {
  return std::all_of(texts.begin(), texts.end(),
                     [](const auto& one) { return one.second.starts_with("yolo\n"); });
}

/// Images under their own names, so that a writer of a format finds them.
void stage_images(Work& work, const fs::path& folder, dataset::AnnotatedSet& set) {
  std::set<fs::path> folders;
  for (const Item& item : work.content.items)
    folders.insert((folder / item.split / item.path).parent_path());
  make_parents(folders);
  set.images.resize(work.content.items.size());
  parallel_for(set.images.size(), work.threads(), [&](std::size_t i) {
    check_stop(work.options.stop);
    const Item& item = work.content.items[i];
    dataset::AnnotatedImage& image = set.images[i];
    image.file = folder / item.split / item.path;
    take_image(work, item, image.file);
    image.written = item.path;
    image.split = item.split;
    image.content_hash = hex(item.image);
    const std::string bytes = file::read(image.file, DecodeLimits{}.file_bytes);
    const PictureHeader header = read_picture_header(bytes, item.path);
    image.width = header.width, image.height = header.height;
  });
}

void write_format(Work& work, const fs::path& folder, const dataset::Format& format) {
  dataset::AnnotatedSet set;
  for (const ClassList::Entry& one : work.content.classes.classes) {
    set.classes.push_back({one.name, one.id, one.supercategory, one.colour});
    take_point_field(one.points, set.classes.back());
  }
  const fs::path stage = folder / ".stage";
  stage_images(work, stage, set);
  const Texts texts = annotation_texts(work);
  const int columns = work.content.classes.key_points * work.content.classes.key_point_values;
  std::size_t left_out = 0;
  for (std::size_t i = 0; i < set.images.size(); ++i) {
    const Item& item = work.content.items[i];
    if (!item.annotations) {
      set.images[i].state = dataset::ImageState::not_annotated;
      continue;
    }
    put_annotations(parse_annotations(texts.at(*item.annotations), columns, item.path),
                    work.content.classes.key_point_values, set.images[i], left_out);
  }
  dataset::number_points(set, static_cast<std::size_t>(work.content.classes.key_points));
  dataset::complete_point_names(set);
  dataset::Conversion& account = work.result.account.emplace();
  account.to = format.name;
  account.out = work.options.out;
  for (const dataset::Loss& loss : dataset::losses(set, format))
    account.losses.push_back({loss.what, loss.count,
                              loss.where == dataset::Keep::attribute   ? "attribute"
                              : loss.where == dataset::Keep::side_file ? "side file"
                                                                       : ""});
  if (left_out > 0) account.losses.push_back({"row that is no label", left_out, ""});
  const dataset::WriteOptions how{!work.options.copy};
  format.write({set, folder, how, account, work.options.stop});
  fs::remove_all(stage);
}

}  // namespace

CheckedOut checkout(Store& store, const Digest& id, const CheckoutOptions& options) {
  dataset::require_empty(options.out);
  Work work(store, id, options);
  work.result.images = work.content.items.size();
  const dataset::Format* format = nullptr;
  if (!options.format.empty()) {
    format = &dataset::format_named(options.format, setting_name("format"));
    if (format->write == nullptr)
      throw usage_error(
          fmt::format("{}: {} is read, but not written", setting_name("format"), format->name));
  } else if (!all_rows(annotation_texts(work))) {
    throw Error(
        fmt::format("version {}: its annotations came from another format than label "
                    "files: expected {} with the format to write, such as coco or yolo",
                    hex(id).substr(0, 12), setting_name("format")));
  }
  dataset::build_folder(options.out, [&](const fs::path& temporary) {
    if (format == nullptr)
      write_plain(work, temporary);
    else
      write_format(work, temporary, *format);
    file::write_atomically(temporary / ".yolov7-version.json",
                           json_text({{"id", hex(id)}}, 2) + "\n", file::Sync::later);
  });
  return std::move(work.result);
}

}  // namespace yolov7::versions
