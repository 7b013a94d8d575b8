#pragma once
// Versions that are made from others by a recipe (data-services E10): the same parent, recipe and
// seed give the same bytes again.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "core/value.hpp"
#include "versions/annotations.hpp"
#include "versions/store.hpp"

namespace yolov7::versions {

/// What a recipe works with: contents of the store, and images that were made on the way, which lie
/// in a folder of their own until the version is added.
class Workshop {
 public:
  Workshop(Store& store, int threads, std::stop_token stop);
  ~Workshop();  ///< removes the folder
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  Content content;
  std::map<std::string, std::size_t> counts;  ///< what was dropped or changed, in words
  std::uint64_t seed = 0;
  /// The path of the parent's image behind one that was made: parts of one image stay in one split.
  std::map<std::string, std::string> origins;

  const std::string& origin(const std::string& path) const {
    const auto found = origins.find(path);
    return found == origins.end() ? path : found->second;
  }
  Store& store() { return store_; }
  int threads() const { return threads_; }
  const std::stop_token& stop() const { return stop_; }
  int key_point_columns() const;

  std::string text(const Digest& digest);
  Digest keep_text(std::string text);
  Annotations annotations(const Item& item);
  /// As rows of a label file; properties that these cannot hold are counted.
  Annotations rows(const Item& item);
  /// The file of an image, of the store or made here. Error: it is damaged or gone.
  std::filesystem::path image(const Digest& digest);
  /// From several threads.
  Digest keep_image(const std::string& bytes);
  /// What the store lacks of the content goes there: images that were made, and texts.
  void deliver(NewVersion& version);

 private:
  Store& store_;
  int threads_;
  std::stop_token stop_;
  Texts texts_;
  std::filesystem::path folder_;
  std::unique_ptr<ObjectFiles> made_;
};

/// One entry of `steps`. Error names its place in the recipe.
void run_step(const std::string& name, const Value& step, Workshop& work);

struct RecipeOptions {
  int threads = 0;  ///< 0 = usable cores
  std::stop_token stop = {};
};

/// The text of a recipe as a version has it: the parent's id and the recipe in one line.
std::string recipe_text(const Digest& parent, const Value& recipe);

/// The parent in the text of a recipe; nothing where it is none.
std::optional<Digest> parent_of_recipe(const std::string& text);

struct DeriveOptions {
  std::string parent;  ///< reference
  std::filesystem::path recipe;
  std::string name;  ///< of the data set; "": that of the parent
  std::string message, author;
  RecipeOptions how;
};
struct Derived {
  Entry entry, parent;
  bool already_there = false;
  std::map<std::string, std::size_t> counts;
};
/// A new version. Errors: a recipe that is wrong (file, line and column), a damaged store, a full
/// disk, stopped_error().
Derived derive(Store& store, const DeriveOptions& options);
/// Runs the recipe of a version again and compares: the id that comes out. Nothing is written into
/// the store. Error: it has no recipe.
Digest recreate(Store& store, const Digest& id, const RecipeOptions& how);

}  // namespace yolov7::versions
