#include "dataset/formats/source_tree.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <system_error>

#include "core/encoding.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "image/codec/file_kind.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

bool inside(const fs::path& path, const fs::path& canonical_root) {
  std::error_code error;
  const fs::path target = fs::canonical(path, error);
  if (error) return false;
  const fs::path relative = target.lexically_relative(canonical_root);
  return !relative.empty() && *relative.begin() != "..";
}

struct Walk {
  fs::path root, canonical_root;
  SourceTree& tree;
  const std::stop_token& stop;

  void enter(const fs::path& folder) {
    check_stop(stop);
    std::error_code error;
    fs::directory_iterator entries(folder, error);
    if (error)
      tree.skipped.push_back({folder, 0, "this folder cannot be read: " + error.message()});
    for (const fs::directory_entry& entry : entries) {
      const fs::path& path = entry.path();
      if (path.filename().native().starts_with('.')) continue;
      const bool link = entry.is_symlink(error);
      if (link && !inside(path, canonical_root))
        tree.skipped.push_back(
            {path, 0, "a link that leads outside the source folder is not followed"});
      else if (!link && entry.is_directory(error))
        enter(path);
      else if (entry.is_regular_file(error))
        add(path);
    }
  }

  void add(const fs::path& path) {
    fs::path relative = path.lexically_relative(root);
    if (is_picture_name(path))
      tree.images.push_back({std::move(relative), path});
    else
      tree.files.push_back(std::move(relative));
  }
};

void walk(const fs::path& root, SourceTree& tree, const std::stop_token& stop) {
  Walk{root, fs::canonical(root), tree, stop}.enter(root);
}

}  // namespace

std::vector<fs::path> SourceTree::with_extension(std::string_view extension) const {
  std::vector<fs::path> found;
  for (const fs::path& file : files)
    if (text::lower(file.extension().string()) == extension) found.push_back(file);
  return found;
}

bool SourceTree::has(const fs::path& relative) const {
  const auto less = [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); };
  return std::binary_search(files.begin(), files.end(), relative, less);
}

std::set<std::string> SourceTree::image_stems() const {
  std::set<std::string> stems;
  for (const TreeImage& image : images) stems.insert(image.relative.stem().string());
  return stems;
}

std::string SourceTree::read(const fs::path& relative, std::uint64_t most_bytes) const {
  return text::as_utf8(file::read(root / relative, most_bytes), (root / relative).string());
}

std::string SourceTree::head(const fs::path& relative, std::size_t bytes) const {
  std::ifstream in(root / relative, std::ios::binary);
  std::string text(bytes, '\0');
  in.read(text.data(), static_cast<std::streamsize>(bytes));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return text::head_as_utf8(std::move(text));
}

SourceTree walk_source(const fs::path& source, const fs::path& further_images,
                       std::string_view expected, const std::stop_token& stop) {
  std::error_code error;
  SourceTree tree;
  const bool one_file = fs::is_regular_file(source, error);
  if (!one_file && !fs::is_directory(source, error))
    throw Error(fmt::format("{}: expected {}, found none", source.string(), expected));
  tree.root = one_file ? source.parent_path() : source;
  if (tree.root.empty()) tree.root = ".";
  walk(tree.root, tree, stop);
  tree.one_file = one_file && further_images.empty();
  tree.source = source;
  if (!further_images.empty()) {
    if (!fs::is_directory(further_images, error))
      throw Error(
          fmt::format("{}: expected a folder with images, found none", further_images.string()));
    SourceTree further;
    further.root = further_images;
    walk(further_images, further, stop);
    for (TreeImage& image : further.images) tree.images.push_back(std::move(image));
  }
  if (one_file)
    std::erase_if(tree.files, [&](const fs::path& file) {
      return file.extension() == source.extension() && file != source.filename();
    });
  std::sort(tree.files.begin(), tree.files.end(),
            [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
  std::stable_sort(tree.images.begin(), tree.images.end(),
                   [](const TreeImage& a, const TreeImage& b) {
                     return a.relative.native() < b.relative.native();
                   });
  return tree;
}

}  // namespace yolov7::dataset
