#include "dataset/formats/convert.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "dataset/formats/format_table.hpp"
#include "dataset/formats/output_folder.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

void add_losses(const AnnotatedSet& set, const Format& to, Conversion& account) {
  for (const Loss& loss : losses(set, to))
    account.losses.push_back({loss.what, loss.count,
                              loss.where == Keep::attribute   ? "attribute"
                              : loss.where == Keep::side_file ? extra_line
                                                              : ""});
}

/// A folder beside the output for images that are only there for the time of a conversion.
class Unpacked {
 public:
  explicit Unpacked(const fs::path& out)
      : folder_(output_place(out).parent_path() /
                fmt::format(".{}.unpacked.{}", output_place(out).filename().string(), ::getpid())) {
  }
  ~Unpacked() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  Unpacked(const Unpacked&) = delete;
  Unpacked& operator=(const Unpacked&) = delete;
  const fs::path& folder() const { return folder_; }

 private:
  fs::path folder_;
};

/// Whether images of annotations in a folder of this name mostly stand beside the folder.
bool holds_annotations_alone(const fs::path& folder) {
  const std::string name = text::lower(folder.filename().string());
  return name.starts_with("annotation") || name.starts_with("label") || name == "ann" ||
         name == "gt" || name == "json";
}

/// For one file whose own folder holds no image, but is called "annotations" or the like: the
/// folder above it, of which nothing but that file is an annotation.
SourceTree source_tree(const ConvertOptions& options, const Format* from, Conversion& account) {
  const std::string expected = from == nullptr
                                   ? "a folder with annotations"
                                   : fmt::format("a folder with {} annotations", from->title);
  SourceTree tree = walk_source(options.source, options.images, expected, options.stop);
  std::error_code error;
  if (!tree.images.empty() || !fs::is_regular_file(options.source, error)) return tree;
  const fs::path folder = fs::absolute(options.source).lexically_normal().parent_path();
  if (!holds_annotations_alone(folder) || folder.parent_path() == folder.root_path()) return tree;
  SourceTree wider = walk_source(folder.parent_path(), {}, expected, options.stop);
  if (wider.images.empty()) return tree;
  const fs::path file = folder.filename() / options.source.filename();
  std::erase_if(wider.files, [&](const fs::path& one) {
    return one.extension() == file.extension() && one != file;
  });
  wider.one_file = tree.one_file;
  wider.source = tree.source;
  account.notes.push_back({file, 0, "its folder holds no image: those of the folder above count"});
  return wider;
}

/// Whether two files are of the same kind by their names: _annotations.coco.json in two folders,
/// instances_train.json and instances_val.json.
bool named_alike(const fs::path& a, const fs::path& b) {
  const auto is_split = [](const fs::path& path) {
    return path.filename().string().starts_with("instances_");
  };
  return a.filename() == b.filename() || (is_split(a) && is_split(b));
}

/// A file that is cut or empty no longer looks like its format, and a whole split would be gone.
/// Only where one file holds many images: else each file is named by its reader. Error: such a file
/// beside one that was read.
void require_all_read(const AnnotatedSet& set, const SourceTree& tree, Conversion& account) {
  std::map<fs::path, std::size_t> images;
  for (const AnnotatedImage& image : set.images) ++images[image.annotation];
  std::vector<fs::path> of_many;
  for (const auto& [file, count] : images)
    if (count > 1) of_many.push_back(file);
  for (const fs::path& file : tree.files) {
    if (of_many.empty() || images.contains(file)) continue;
    const auto sibling = std::find_if(of_many.begin(), of_many.end(),
                                      [&](const fs::path& one) { return named_alike(one, file); });
    if (sibling == of_many.end()) continue;
    const std::string content = tree.read(file);
    const bool whole = text::lower(file.extension().string()) == ".json"
                           ? nlohmann::json::accept(content)
                           : !content.empty();
    if (!whole)
      throw Error(fmt::format(
          "{}: expected annotations as in {}, found a file of {} bytes that is cut or empty",
          (tree.root / file).string(), sibling->string(), content.size()));
    account.notes.push_back({file, 0, "no image was read from it"});
  }
}

std::vector<fs::path> image_folders(const AnnotatedSet& set) {
  std::set<fs::path> folders;
  for (const AnnotatedImage& image : set.images)
    if (!image.file.empty())
      folders.insert(image.file.has_parent_path() ? image.file.parent_path() : fs::path("."));
  return {folders.begin(), folders.end()};
}

}  // namespace

AnnotatedSet read_annotations_of(const ConvertOptions& options, Conversion& account) {
  account.source = options.source;
  const std::string chooser =
      options.from_option.empty() ? setting_name("from") : options.from_option;
  const Format* from = options.from == "auto" ? nullptr : &format_named(options.from, chooser);
  SourceTree tree = source_tree(options, from, account);
  if (from == nullptr) from = &detect_format(tree, chooser);
  if (from->read == nullptr)
    throw usage_error(fmt::format("{}: {} is written, but not read", chooser, from->name));
  account.from = from->name;
  if (options.prepare.orientation != BoxOrientation::unknown && account.from != "voc")
    throw usage_error(fmt::format("{}: expected a source of Pascal VOC, found {}",
                                  setting_name("voc-orientation"), from->title));
  account.notes.insert(account.notes.begin(), tree.skipped.begin(), tree.skipped.end());
  if (from->unpack != nullptr) {
    if (options.read.unpack_folder.empty())
      throw Error(fmt::format("{}: expected a folder for the images inside the annotation files",
                              account.source.string()));
    from->unpack(tree, options.read.unpack_folder, options.stop);
  }
  const ImageFinder finder(tree);
  AnnotatedSet set = from->read({tree, finder, options.read, account, options.stop});
  if (set.images.empty() && account.annotations.in == 0)
    throw Error(
        fmt::format("{}: expected annotations of {}, found none among {} files and {} images",
                    account.source.string(), from->title, tree.files.size(), tree.images.size()));
  require_all_read(set, tree, account);
  prepare_set(set, tree, options.prepare, account, options.stop);
  return set;
}

Conversion convert(const ConvertOptions& options) {
  const Format& to = format_named(options.to, setting_name("to"));
  if (to.write == nullptr)
    throw usage_error(fmt::format("{}: {} is read, but not written", setting_name("to"), to.name));
  require_empty(options.out);
  const fs::path sources[] = {options.source, options.images};
  require_outside(options.out, sources);
  Conversion account;
  account.out = options.out;
  account.to = to.name;
  const Unpacked unpacked(options.out);
  ConvertOptions reading = options;
  if (reading.read.unpack_folder.empty()) reading.read.unpack_folder = unpacked.folder();
  const AnnotatedSet set = read_annotations_of(reading, account);
  require_outside(options.out, image_folders(set));  // of one file they may lie anywhere
  add_losses(set, to, account);
  build_folder(options.out, [&](const fs::path& temporary) {
    to.write({set, temporary, options.write, account, options.stop});
    file::write_atomically(temporary / "conversion.json", json_text(to_json(account), 2) + "\n",
                           file::Sync::later);
  });
  return account;
}

}  // namespace yolov7::dataset
