// yolov7 dataset version bundle NAME@ID … --out FILE; … bundle --import FILE
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "cli/verbs/version_options.hpp"
#include "core/interrupt.hpp"
#include "core/memory.hpp"
#include "core/output_guard.hpp"
#include "versions/bundle.hpp"

namespace yolov7::cli {
namespace {

struct BundleOptions {
  std::vector<std::string> versions;
  std::string out, from, store;
};
Settings settings(BundleOptions& o) {
  return {"dataset version bundle",
          {setting("versions", o.versions, "versions to write").positional(),
           setting("out", o.out, "file to write (.tar)"),
           setting("import", o.from, "instead: a bundle to read into the store"),
           store_setting(o.store)}};
}

}  // namespace

nlohmann::json run_version_bundle(const std::vector<std::string>& arguments, Output& output) {
  BundleOptions o;
  if (!parse_arguments(settings(o), arguments, output)) return {};
  const bool imports = !o.from.empty();
  if (imports ? !o.versions.empty() || !o.out.empty() : o.versions.empty() || o.out.empty())
    throw usage_error(
        "dataset version bundle: expected versions and --out, or --import alone, found something "
        "else");
  versions::Bundled done;
  if (imports) {
    versions::Store store = versions::Store::open_or_make(versions::store_folder(o.store));
    done = versions::read_bundle(store, o.from, interrupt::token());
  } else {
    versions::Store store = open_store(o.store);
    OutputGuard guard;
    guard.protect(store.database().path(), "the database of the store");
    guard.claim(o.out);
    done = versions::write_bundle(store, o.versions, o.out, interrupt::token());
  }
  nlohmann::json entries = nlohmann::json::array();
  for (const versions::Entry& entry : done.entries) {
    output.line(entry_line(entry));
    entries.push_back(entry_json(entry));
  }
  output.line(fmt::format(
      "{}: {} images ({}), {} texts{}", imports ? o.from : o.out, done.objects,
      memory_text(done.bytes), done.texts,
      imports ? fmt::format("; {} images were there already", done.there) : std::string()));
  return {{"versions", entries},
          {"images", done.objects},
          {"image_bytes", done.bytes},
          {"texts", done.texts},
          {"there_already", done.there}};
}

}  // namespace yolov7::cli
