// yolov7 dataset version which FILE | NAME@ID: what comes from where, in both directions.
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "cli/verb.hpp"
#include "cli/verbs/checkpoint_data.hpp"
#include "cli/verbs/version_options.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "versions/lineage.hpp"
#include "versions/store_data.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;

struct WhichOptions {
  std::string what, store;
};
Settings settings(WhichOptions& o) {
  return {"dataset version which",
          {setting("what", o.what,
                   "a checkpoint, export or run folder: the versions behind it; an image: the "
                   "versions that hold it and the models that saw it; a version: what was made "
                   "from it")
               .positional(),
           store_setting(o.store)}};
}

nlohmann::json made_json(const versions::Made& made) {
  nlohmann::json value = {{"version", hex(made.id)},
                          {"kind", made.kind},
                          {"path", made.path},
                          {"created", made.created}};
  if (made.hash) value["sha256"] = hex(*made.hash);
  if (made.made_from) value["made_from"] = hex(*made.made_from);
  return value;
}

std::string made_line(const versions::Made& made) {
  return fmt::format(
      "{}  {} {}{}", made.created, made.kind, made.path,
      made.hash ? fmt::format(" ({})", hex(*made.hash).substr(0, 12)) : std::string());
}

/// The name of the version in the store's history, the newest entry that has it.
std::string name_of(versions::Store& store, const Digest& id) {
  std::string name = hex(id).substr(0, 12) + " (no longer in the store)";
  for (const versions::Entry& entry : store.history())
    if (entry.id == id) name = versions::label_of(entry);
  return name;
}

nlohmann::json of_version(versions::Store& store, const versions::Entry& entry,
                          const Output& output) {
  nlohmann::json list = nlohmann::json::array();
  output.line(entry_line(entry));
  for (const versions::Made& made : versions::made_of_version(store, entry.id)) {
    output.line("  " + made_line(made));
    list.push_back(made_json(made));
  }
  if (list.empty()) output.line("  nothing that this store knows of was made from it");
  return {{"version", entry_json(entry)}, {"made", std::move(list)}};
}

/// The models behind which a version stands that holds the image in its train split.
nlohmann::json of_image(versions::Store& store, const std::vector<versions::ImageUse>& uses,
                        const Output& output) {
  nlohmann::json versions_json = nlohmann::json::array(), models = nlohmann::json::array();
  std::set<Digest> seen;
  for (const versions::ImageUse& use : uses) {
    nlohmann::json places = nlohmann::json::array();
    std::vector<std::string> shown;
    bool trained = false;
    for (const versions::Item& item : use.items) {
      places.push_back({{"path", item.path}, {"split", item.split}});
      shown.push_back(fmt::format("{} ({})", item.path, item.split));
      trained = trained || item.split == "train";
    }
    output.line(fmt::format("{}: {}", versions::label_of(use.entry), text::join(shown, ", ")));
    versions_json.push_back({{"version", entry_json(use.entry)}, {"items", std::move(places)}});
    if (!trained || !seen.insert(use.entry.id).second) continue;
    for (const versions::Made& made : versions::made_of_version(store, use.entry.id)) {
      output.line("  learned from it: " + made_line(made));
      models.push_back(made_json(made));
    }
  }
  return {{"versions", std::move(versions_json)}, {"learned_from_it", std::move(models)}};
}

nlohmann::json of_model(versions::Store& store, const std::vector<versions::Made>& known,
                        const Output& output) {
  nlohmann::json list = nlohmann::json::array();
  for (const versions::Made& made : known) {
    output.line(fmt::format("{}  from {}", made_line(made), name_of(store, made.id)));
    list.push_back(made_json(made));
    list.back()["name"] = name_of(store, made.id);
  }
  return {{"from", std::move(list)}};
}

nlohmann::json of_file(versions::Store& store, const std::string& path, const Output& output) {
  const Digest digest = *digest_of(sha256_of_file(path));
  if (const auto uses = versions::uses_of_image(store, digest); !uses.empty())
    return of_image(store, uses, output);
  const auto known = versions::made_with_hash(store, digest);
  if (!known.empty()) return of_model(store, known, output);
  const std::string data = data_of_checkpoint(path);
  if (versions::is_store_name(data)) {
    const std::string reference = versions::reference_of(data);
    const auto id = digest_of(reference.substr(reference.find('@') + 1));
    const std::string name = id ? name_of(store, *id) : reference;
    output.line(fmt::format("{}: trained from {}, as it says itself", path, name));
    return {{"from",
             {{{"kind", "checkpoint"}, {"path", path}, {"version", reference}, {"name", name}}}}};
  }
  throw Error(
      fmt::format("{}: expected an image of a version, or a model that was made from one; "
                  "the store {} knows nothing of this file (SHA-256 {})",
                  path, store.folder().string(), hex(digest)));
}

nlohmann::json of_folder(versions::Store& store, const std::string& path, const Output& output) {
  const std::string place = fs::absolute(path).lexically_normal().string();
  std::vector<versions::Made> known;
  for (const versions::Entry& entry : store.history())
    for (versions::Made& made : versions::made_of_version(store, entry.id))
      if (made.path == place || made.path.starts_with(place + (place.ends_with('/') ? "" : "/")))
        known.push_back(std::move(made));
  if (!known.empty()) return of_model(store, known, output);
  const fs::path last = fs::path(path) / "weights" / "last.pt";
  if (fs::exists(last)) return of_file(store, last.string(), output);
  throw Error(
      fmt::format("{}: expected a folder of a run that was made from a version; the store "
                  "{} knows nothing of it",
                  path, store.folder().string()));
}

}  // namespace

nlohmann::json run_version_which(const std::vector<std::string>& arguments, Output& output) {
  WhichOptions o;
  if (!parse_arguments(settings(o), arguments, output)) return {};
  if (o.what.empty())
    throw usage_error(
        "dataset version which: expected a file, a run folder or a version, found none");
  versions::Store store = open_store(o.store);
  std::error_code error;
  if (fs::is_regular_file(o.what, error)) return of_file(store, o.what, output);
  if (fs::is_directory(o.what, error)) return of_folder(store, o.what, output);
  return of_version(store, store.find(o.what), output);
}

}  // namespace yolov7::cli
