#include "versions/recipe.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <system_error>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/stop.hpp"
#include "core/threads.hpp"
#include "versions/create.hpp"

namespace yolov7::versions {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view parent_word = "parent ";

/// Parent and recipe of a recipe text.
std::pair<Digest, Value> parsed(const std::string& text, const std::string& source) {
  const auto parent = parent_of_recipe(text);
  if (!parent) throw Error(fmt::format("{}: expected a recipe with the id of its parent", source));
  return {*parent, parse_yaml(text.substr(text.find('\n') + 1), source)};
}

std::uint64_t seed_of(const Value& recipe) {
  const Value* seed = recipe.find("seed");
  if (seed == nullptr) return 0;
  const long long value = seed->integer();
  if (value < 0)
    throw Error(fmt::format("{}: expected a seed of 0 or more, found {}", seed->where(), value));
  return static_cast<std::uint64_t>(value);
}

void run(const Value& recipe, Workshop& work) {
  if (!recipe.is_mapping())
    throw Error(
        fmt::format("{}: expected a mapping with steps, found something else", recipe.where()));
  for (const auto& [key, value] : recipe.mapping)
    if (key != "seed" && key != "steps")
      throw Error(fmt::format("{}: expected seed and steps, found '{}'", value.where(), key));
  const Value& steps = recipe.at("steps");
  if (!steps.is_sequence() || steps.sequence.empty())
    throw Error(fmt::format("{}: expected a list of steps, found none", steps.where()));
  work.seed = seed_of(recipe);
  for (const Value& step : steps.sequence) {
    check_stop(work.stop());
    if (!step.is_mapping() || step.mapping.size() != 1)
      throw Error(
          fmt::format("{}: expected one step, as in 'resize: {{side: 640}}'", step.where()));
    run_step(step.mapping.front().first, step.mapping.front().second, work);
    std::sort(work.content.items.begin(), work.content.items.end(), before);
  }
  if (work.content.items.empty())
    throw Error(fmt::format("{}: the recipe leaves no image", recipe.source));
}

}  // namespace

Workshop::Workshop(Store& store, int threads, std::stop_token stop)
    : store_(store),
      threads_(threads_or_all(threads)),
      stop_(std::move(stop)),
      folder_(store.folder() / fmt::format("made.{}", ::getpid())),
      made_(std::make_unique<ObjectFiles>(folder_)) {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);  // of a process with this number that was killed
  made_->make_folders();
}

Workshop::~Workshop() {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

int Workshop::key_point_columns() const {
  return content.classes.key_points * content.classes.key_point_values;
}

std::string Workshop::text(const Digest& digest) {
  const auto found = texts_.find(digest);
  return found != texts_.end() ? found->second : store_.text(digest);
}

Digest Workshop::keep_text(std::string text) {
  const Digest digest = sha256_digest(text);
  texts_.emplace(digest, std::move(text));
  return digest;
}

Annotations Workshop::annotations(const Item& item) {
  if (!item.annotations) return {};
  return parse_annotations(text(*item.annotations), key_point_columns(), item.path);
}

Annotations Workshop::rows(const Item& item) {
  Annotations found = annotations(item);
  if (found.yolo) return found;
  Annotations result;
  for (Shape& shape : found.shapes) {
    const auto row = parse_json(shape.row, item.path);
    // Class and box alone make a row; everything else has no place in one.
    counts["objects whose further properties are not kept"] += row.size() > 2 ? 1 : 0;
    const ShapeBox& b = shape.box;
    shape.row = fmt::format("{} {} {} {} {}", shape.class_index, (b.x1 + b.x2) / 2,
                            (b.y1 + b.y2) / 2, b.x2 - b.x1, b.y2 - b.y1);
    result.shapes.push_back(std::move(shape));
  }
  return result;
}

fs::path Workshop::image(const Digest& digest) {
  const fs::path made = made_->path_of(digest);
  std::error_code error;
  if (fs::exists(made, error)) return made;
  const auto known = store_.object(digest);
  if (!known || !store_.objects().whole(digest, *known))
    throw Error(
        fmt::format("{}: the image is damaged or gone", store_.objects().path_of(digest).string()));
  return store_.objects().path_of(digest);
}

Digest Workshop::keep_image(const std::string& bytes) {
  const Digest digest = sha256_digest(bytes);
  made_->add(bytes, digest, nullptr);
  return digest;
}

void Workshop::deliver(NewVersion& version) {
  std::vector<char> buffer;
  for (const Item& item : content.items) {
    if (item.annotations) {
      const auto found = texts_.find(*item.annotations);
      if (found != texts_.end()) version.texts.emplace(*found);
      version.boxes += row_count(text(*item.annotations));
    }
    if (version.objects.contains(item.image) || store_.object(item.image)) continue;
    store_.objects().add(HashedFile(made_->path_of(item.image), buffer), nullptr);
    version.objects.emplace(item.image, store_.objects().facts_of(item.image));
  }
  version.content = content;
}

std::optional<Digest> parent_of_recipe(const std::string& text) {
  const auto end = text.find('\n');
  if (!text.starts_with(parent_word) || end == std::string::npos) return std::nullopt;
  return digest_of(text.substr(parent_word.size(), end - parent_word.size()));
}

std::string recipe_text(const Digest& parent, const Value& recipe) {
  return fmt::format("{}{}\n{}\n", parent_word, hex(parent), yaml_flow(recipe));
}

Derived derive(Store& store, const DeriveOptions& options) {
  if (!options.name.empty()) require_name(options.name);
  const Value recipe = read_yaml(options.recipe);
  const file::Lock lock = store.lock(options.how.stop);
  Derived result;
  result.parent = store.find(options.parent);
  Workshop work(store, options.how.threads, options.how.stop);
  work.content = store.content(result.parent.id);
  run(recipe, work);
  work.content.recipe = recipe_text(result.parent.id, recipe);
  NewVersion version;
  version.name = options.name.empty() ? result.parent.name : options.name;
  version.parent = result.parent.id;
  version.message = options.message;
  version.author = options.author.empty() ? user_name() : options.author;
  work.deliver(version);
  result.counts = work.counts;
  result.entry = store.add(version, result.already_there);
  return result;
}

Digest recreate(Store& store, const Digest& id, const RecipeOptions& how) {
  const file::Lock lock = store.lock(how.stop);  // `gc` takes what it makes for leftovers
  const Content made = store.content(id);
  if (!made.recipe)
    throw Error(fmt::format("version {}: expected one that was made by a recipe, found none",
                            hex(id).substr(0, 12)));
  const auto [parent, recipe] = parsed(*made.recipe, "recipe of " + hex(id).substr(0, 12));
  Workshop work(store, how.threads, how.stop);
  work.content = store.content(parent);
  run(recipe, work);
  work.content.recipe = recipe_text(parent, recipe);
  return id_of(work.content);
}

}  // namespace yolov7::versions
