#include "dataset/formats/convert.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <system_error>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/setting_name.hpp"
#include "dataset/formats/format_table.hpp"
#include "dataset/formats/output_folder.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

void add_losses(const AnnotatedSet& set, const Format& to, Conversion& account) {
  for (const Loss& loss : losses(set, to))
    account.losses.push_back({loss.what, loss.count,
                              loss.where == Keep::attribute   ? "attribute"
                              : loss.where == Keep::side_file ? "line of annotations.extra.jsonl"
                                                              : ""});
}

}  // namespace

AnnotatedSet read_annotations_of(const ConvertOptions& options, Conversion& account) {
  account.source = options.source;
  const Format* from =
      options.from == "auto" ? nullptr : &format_named(options.from, setting_name("from"));
  const SourceTree tree =
      walk_source(options.source, options.images,
                  from == nullptr ? "a folder with annotations"
                                  : fmt::format("a folder with {} annotations", from->title),
                  options.stop);
  if (from == nullptr) from = &detect_format(tree);
  if (from->read == nullptr)
    throw usage_error(
        fmt::format("{}: {} is written, but not read", setting_name("from"), from->name));
  account.from = from->name;
  if (options.prepare.orientation != BoxOrientation::unknown && account.from != "voc")
    throw usage_error(fmt::format("{}: expected a source of Pascal VOC, found {}",
                                  setting_name("voc-orientation"), from->title));
  account.notes = tree.skipped;
  const ImageFinder finder(tree);
  AnnotatedSet set = from->read({tree, finder, options.read, account, options.stop});
  prepare_set(set, tree, options.prepare, account, options.stop);
  return set;
}

Conversion convert(const ConvertOptions& options) {
  const Format& to = format_named(options.to, setting_name("to"));
  if (to.write == nullptr)
    throw usage_error(fmt::format("{}: {} is read, but not written", setting_name("to"), to.name));
  require_empty(options.out);
  const fs::path sources[] = {options.source};
  require_outside(options.out, sources);
  Conversion account;
  account.out = options.out;
  account.to = to.name;
  const AnnotatedSet set = read_annotations_of(options, account);
  add_losses(set, to, account);
  build_folder(options.out, [&](const fs::path& temporary) {
    to.write({set, temporary, options.write, account, options.stop});
    file::write_atomically(temporary / "conversion.json", json_text(to_json(account), 2) + "\n",
                           file::Sync::later);
  });
  return account;
}

}  // namespace yolov7::dataset
