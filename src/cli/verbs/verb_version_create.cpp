// yolov7 dataset version create data.yaml --message TEXT; … checkout NAME@ID --out DIR
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "cli/verbs/version_options.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/memory.hpp"
#include "core/text.hpp"
#include "dataset/formats/format_table.hpp"
#include "versions/checkout.hpp"
#include "versions/create.hpp"
#include "versions/recipe.hpp"

namespace yolov7::cli {
namespace {

struct CreateVerbOptions {
  std::string data, from = "auto", store, name, message, author, recipe, parent;
  bool recheck = false;
  int threads = 0;
};

Settings settings(CreateVerbOptions& o) {
  return {
      "dataset version create",
      {setting("data", o.data,
               "data.yaml, or a folder or file with annotations of any format and their images; "
               "FORMAT:PATH names the format")
           .positional(),
       setting("from", o.from,
               "format of the annotations: auto, " + text::join(dataset::readable_names(), ", ")),
       setting("name", o.name,
               "name of the data set; without: that of its folder, or of the version before"),
       setting("message", o.message, "what this version is about"),
       setting("author", o.author, "who made it; without: the user's name"),
       setting("recipe", o.recipe,
               "YAML file with steps (resize, tile, filter, remap, split, augment) that make the "
               "version from that of --of"),
       setting("of", o.parent, "--recipe: the version to make it from"), store_setting(o.store),
       setting("recheck", o.recheck, "read every file again, whatever sizes and times say"),
       setting("workers", o.threads, "threads, 0 = usable cores").range(0, 1024)}};
}

void warn_of_snapshot(const versions::Snapshot& snapshot) {
  warn_of(snapshot.left_out, "files are no part of the version:");
  warn_of(snapshot.odd_files,
          fmt::format("label files have rows that are no labels; the {} rows are kept as they are:",
                      snapshot.odd_rows));
}

struct CheckoutVerbOptions {
  std::string version, out, format, store;
  bool copy = false;
  int threads = 0;
};

Settings settings(CheckoutVerbOptions& o) {
  return {"dataset version checkout",
          {setting("version", o.version, "NAME, NAME@v3 or NAME@ID").positional(),
           setting("out", o.out, "folder to write: new or empty"),
           setting("format", o.format,
                   "annotation format: " + text::join(dataset::writable_names(), ", ") +
                       "; without: label files and data.yaml, images at their paths"),
           setting("copy", o.copy,
                   "copies of images where the file system has no reflinks; without: hard links, "
                   "which must not be edited in place"),
           store_setting(o.store),
           setting("workers", o.threads, "threads, 0 = usable cores").range(0, 1024)}};
}

}  // namespace

namespace {

nlohmann::json create_by_recipe(const CreateVerbOptions& o, const Output& output) {
  if (o.recipe.empty() || o.parent.empty() || !o.data.empty())
    throw usage_error(
        "dataset version create: expected --recipe with --of and no data, found something else");
  versions::Store store = open_store(o.store);
  const versions::Derived made = versions::derive(
      store, {o.parent, o.recipe, o.name, o.message, o.author, {o.threads, interrupt::token()}});
  for (const auto& [what, count] : made.counts)
    if (count > 0) output.line(fmt::format("{} {}", count, what));
  output.line(made.already_there ? fmt::format("no difference to {}: no new version",
                                               versions::label_of(made.entry))
                                 : entry_line(made.entry));
  output.line(fmt::format("id: {}", versions::full_name(made.entry)));
  nlohmann::json result = entry_json(made.entry);
  result["new"] = !made.already_there;
  result["counts"] = made.counts;
  return result;
}

}  // namespace

nlohmann::json run_version_create(const std::vector<std::string>& arguments, Output& output) {
  CreateVerbOptions o;
  if (!parse_arguments(settings(o), arguments, output)) return {};
  if (!o.recipe.empty() || !o.parent.empty()) return create_by_recipe(o, output);
  if (o.data.empty())
    throw usage_error(
        "dataset version create: expected a data.yaml or a folder with annotations, found none");
  const versions::Created made =
      versions::create({versions::store_folder(o.store), o.data, o.from, o.name, o.message,
                        o.author, o.recheck, o.threads, interrupt::token()});
  const versions::Snapshot& s = made.snapshot;
  if (made.account)
    for (const std::string& line : dataset::summary_lines(*made.account)) output.line(line);
  warn_of_snapshot(s);
  if (made.already_there)
    output.line(fmt::format("no difference to {}: no new version", versions::label_of(made.entry)));
  else
    output.line(entry_line(made.entry));
  output.line(fmt::format("read: {} images ({}), {} annotations", s.images_read,
                          transfer_text(s.by_transfer), s.labels_read));
  if (made.unpacked)
    output.line("the images come out of the annotation files: the store keeps them as files");
  else if (s.by_transfer[static_cast<std::size_t>(versions::Transfer::hard_link)] > 0)
    output.line(
        "these images are one file with the store's from now on, and read-only: to change one, "
        "write a new file in its place");
  if (s.bytes_copied > 0)
    output.line(fmt::format("copied: {}: the store is on another file system than these images",
                            memory_text(s.bytes_copied)));
  output.line(fmt::format("id: {}", versions::full_name(made.entry)));
  nlohmann::json result = entry_json(made.entry);
  result["new"] = !made.already_there;
  result["images_read"] = s.images_read;
  result["annotations_read"] = s.labels_read;
  result["images_by"] = transfer_json(s.by_transfer);
  result["bytes_copied"] = s.bytes_copied;
  result["bytes_shared"] = s.bytes_shared;
  result["rows_that_are_no_labels"] = s.odd_rows;
  result["left_out"] = s.left_out;
  if (made.account) result["conversion"] = dataset::to_json(*made.account);
  return result;
}

nlohmann::json run_version_checkout(const std::vector<std::string>& arguments, Output& output) {
  CheckoutVerbOptions o;
  if (!parse_arguments(settings(o), arguments, output)) return {};
  require_reference("checkout", o.version);
  if (o.out.empty())
    throw usage_error(
        "dataset version checkout: expected --out with the folder to write, found "
        "none");
  versions::Store store = open_store(o.store);
  const versions::Entry entry = store.find(o.version);
  const versions::CheckedOut done = versions::checkout(
      store, entry.id, {o.out, o.format, o.copy, false, o.threads, interrupt::token()});
  output.line(fmt::format("{}: {} images ({})", versions::label_of(entry), done.images,
                          transfer_text(done.by_transfer)));
  if (done.by_transfer[static_cast<std::size_t>(versions::Transfer::hard_link)] > 0)
    log::warning(
        "the images are hard links into the store: never edit them in place, write a new file "
        "instead (--copy gives copies)");
  if (done.val_is_train) log::warning("there is no val split: val of data.yaml names other images");
  if (done.odd_rows > 0)
    log::warning(fmt::format("{} rows that are no labels are written as they are", done.odd_rows));
  nlohmann::json result = {{"version", entry_json(entry)},
                           {"out", o.out},
                           {"images", done.images},
                           {"label_files", done.labels},
                           {"images_by", transfer_json(done.by_transfer)},
                           {"rows_that_are_no_labels", done.odd_rows}};
  if (done.account) {
    for (const dataset::ConversionLoss& loss : done.account->losses)
      output.line(fmt::format("{} × {}: {}", loss.count, loss.what,
                              loss.where.empty() ? "lost" : "as " + loss.where));
    result["losses"] = nlohmann::json::array();
    for (const dataset::ConversionLoss& loss : done.account->losses)
      result["losses"].push_back(
          {{"what", loss.what}, {"count", loss.count}, {"where", loss.where}});
  }
  output.line(fmt::format("written: {}", o.out));
  return result;
}

}  // namespace yolov7::cli
