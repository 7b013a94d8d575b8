// yolov7 dataset version verify [NAME@ID …]; … gc [--drop NAME@ID …] [--dry-run]
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "cli/verbs/version_options.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/memory.hpp"
#include "core/text.hpp"
#include "versions/collect.hpp"
#include "versions/recipe.hpp"
#include "versions/verify.hpp"

namespace yolov7::cli {
namespace {

struct VerifyVerbOptions {
  std::vector<std::string> versions;
  std::string store;
  bool recreate = false;
  int threads = 0;
};
Settings settings(VerifyVerbOptions& o) {
  return {"dataset version verify",
          {setting("versions", o.versions, "these alone; without: all").positional(),
           setting("recreate", o.recreate,
                   "run the recipes of the named versions again, too, and compare every byte"),
           store_setting(o.store),
           setting("workers", o.threads, "threads, 0 = usable cores").range(0, 1024)}};
}

struct CollectVerbOptions {
  std::vector<std::string> drop;
  std::string store;
  bool dry_run = false;
};
Settings settings(CollectVerbOptions& o) {
  return {"dataset version gc",
          {setting("drop", o.drop, "versions to forget first"),
           setting("dry-run", o.dry_run, "say what would go, and remove nothing"),
           store_setting(o.store)}};
}

}  // namespace

nlohmann::json run_version_verify(const std::vector<std::string>& arguments, Output& output) {
  VerifyVerbOptions o;
  if (!parse_arguments(settings(o), arguments, output)) return {};
  versions::Store store = open_store(o.store);
  if (o.recreate && o.versions.empty())
    throw usage_error(
        "dataset version verify: --recreate: expected versions that were made by a "
        "recipe, found none");
  versions::VerifyOptions options{{}, o.threads, interrupt::token()};
  for (const std::string& reference : o.versions) options.only.push_back(store.find(reference).id);
  const versions::Verified done = versions::verify(store, options);
  nlohmann::json damages = nlohmann::json::array();
  for (const versions::Damage& one : done.damages) {
    log::error(fmt::format("{} (needed by {}{}{})", one.what, text::join(one.versions, ", "),
                           one.paths.empty() ? "" : ": ", text::join(one.paths, ", ")));
    damages.push_back({{"what", one.what}, {"versions", one.versions}, {"paths", one.paths}});
  }
  output.line(fmt::format("verified: {} versions, {} texts, {} images ({}): {} damaged or gone",
                          done.versions, done.texts, done.objects, memory_text(done.bytes),
                          done.damages.size()));
  if (!done.damages.empty()) output.code = ExitCode::failure;
  nlohmann::json recreated = nlohmann::json::array();
  for (const Digest& id : o.recreate ? options.only : std::vector<Digest>()) {
    const Digest found = versions::recreate(store, id, {o.threads, interrupt::token()});
    const bool same = found == id;
    output.line(fmt::format("{}: made again by its recipe: {}", hex(id).substr(0, 12),
                            same ? "every byte is the same" : "another version, " + hex(found)));
    if (!same) output.code = ExitCode::failure;
    recreated.push_back({{"version", hex(id)}, {"same", same}, {"found", hex(found)}});
  }
  return {{"recreated", recreated}, {"versions", done.versions}, {"texts", done.texts},
          {"images", done.objects}, {"bytes", done.bytes},       {"damages", damages}};
}

nlohmann::json run_version_gc(const std::vector<std::string>& arguments, Output& output) {
  CollectVerbOptions o;
  if (!parse_arguments(settings(o), arguments, output)) return {};
  versions::Store store = open_store(o.store);
  const versions::Collected done =
      versions::collect_garbage(store, {o.drop, o.dry_run, interrupt::token()});
  nlohmann::json dropped = nlohmann::json::array();
  const char* done_word = o.dry_run ? "would be removed" : "removed";
  for (const versions::Entry& entry : done.dropped) {
    output.line(fmt::format("{}: {}", done_word, entry_line(entry)));
    dropped.push_back(entry_json(entry));
  }
  output.line(fmt::format("{}: {} images ({}), {} texts ({}), {} files of ended processes",
                          done_word, done.objects, memory_text(done.object_bytes), done.texts,
                          memory_text(done.text_bytes), done.leftovers));
  if (done.objects_of_others > 0)
    output.line(
        fmt::format("{} of these images have another name in a folder, so their space is "
                    "not free",
                    done.objects_of_others));
  return {{"dry_run", o.dry_run},
          {"dropped", dropped},
          {"images", done.objects},
          {"image_bytes", done.object_bytes},
          {"images_with_another_name", done.objects_of_others},
          {"texts", done.texts},
          {"text_bytes", done.text_bytes},
          {"leftovers", done.leftovers}};
}

}  // namespace yolov7::cli
