#include "versions/store_data.hpp"

#include <fmt/format.h>

#include <system_error>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "dataset/index/store_reader.hpp"
#include "versions/checkout.hpp"
#include "versions/diff.hpp"
#include "versions/snapshot.hpp"

namespace yolov7::versions {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view prefix = "store:";

/// Readers of descriptions have no token to hand on.
std::stop_token& stop_reading() {
  static std::stop_token stop;
  return stop;
}

Store open(const std::string& data, Entry& entry) {
  Store store = Store::open(store_folder({}));
  entry = store.find(reference_of(data));
  return store;
}

/// What the files of the checkout are now.
Snapshot look(Store& store, const fs::path& folder) {
  return take_snapshot(read_working_set(folder / "data.yaml", "auto", 0, stop_reading()), store,
                       {false, false, 0, stop_reading()});
}

std::string first_difference(Store& store, const Content& expected, const Snapshot& found) {
  const Diff diff = diff_contents(expected, found.content, [&](const Digest& digest) {
    const auto text = found.texts.find(digest);
    return text != found.texts.end() ? text->second : store.text(digest);
  });
  return summary_lines(diff, 1).front();
}

void make_checkout(Store& store, const Entry& entry, const fs::path& folder) {
  log::info(fmt::format("{}: checking out to {}", label_of(entry), folder.string()));
  CheckoutOptions options{folder, {}, false, true, 0, stop_reading()};
  try {
    checkout(store, entry.id, options);
  } catch (const Error& failure) {
    std::error_code error;
    if (fs::exists(folder, error) || failure.code() == ExitCode::interrupted) throw;
    options.format = "yolo";  // annotations of another format
    checkout(store, entry.id, options);
  }
}

}  // namespace

bool is_store_name(const std::string& data) { return data.starts_with(prefix); }

std::string reference_of(const std::string& data) { return data.substr(prefix.size()); }

std::string full_store_name(const std::string& data) {
  Entry entry;
  open(data, entry);
  return std::string(prefix) + full_name(entry);
}

fs::path store_description(const std::string& data) {
  Entry entry;
  Store store = open(data, entry);
  const std::string name = hex(entry.id);
  const fs::path checkouts = store.folder() / "checkouts", folder = checkouts / name,
                 expected_id = checkouts / (name + ".id");
  file::make_folder(checkouts);
  const file::Lock lock = file::Lock::acquire(checkouts / (name + ".lock"), stop_reading());
  std::error_code error;
  const bool fresh = !fs::exists(folder / "data.yaml", error) || !fs::exists(expected_id, error);
  if (fresh) {
    fs::remove_all(folder, error);
    make_checkout(store, entry, folder);
  }
  Snapshot snapshot = look(store, folder);
  const Content content = store.content(entry.id);
  snapshot.content.recipe = content.recipe;
  const std::string found = hex(id_of(snapshot.content));
  // Of another format the label files have an id of their own.
  if (fresh) file::write_atomically(expected_id, found + "\n");
  const std::string expected(text::trim(file::read(expected_id)));
  if (found != expected)
    throw Error(
        fmt::format("{}: expected the files of {} as they were checked out, found changes: "
                    "{}; remove this folder, and it is made again",
                    folder.string(), label_of(entry),
                    expected == name ? first_difference(store, content, snapshot)
                                     : "some file is another one"));
  if (expected == name) remember_files(snapshot, store);
  return folder / "data.yaml";
}

void read_data_from_stores(const std::stop_token& stop) {
  stop_reading() = stop;
  dataset::install_store_reader(prefix, store_description);
}

}  // namespace yolov7::versions
