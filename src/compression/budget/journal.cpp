#include "compression/budget/journal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/file_tree.hpp"
#include "core/json.hpp"
#include "core/sha256.hpp"
#include "core/text.hpp"

namespace yolov7::compression {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int version = 1;

/// A text of the user in a message: long ones are hashes or lists.
std::string shown(const std::string& value) {
  constexpr std::size_t most = 60;
  const std::string clean = text::printable(value);
  return clean.size() <= most ? "'" + clean + "'" : "'" + clean.substr(0, most) + " …'";
}

[[noreturn]] void throw_other(const fs::path& file, const std::string& name,
                              const std::string& before, const std::string& now) {
  throw Error(fmt::format(
      "{}: this run began with {} {}, found {}; give another --out, or remove this folder",
      file.string(), name, before.empty() ? "not given" : shown(before),
      now.empty() ? "none" : shown(now)));
}

void require_same(const fs::path& file, const json& before, const Beginning& now) {
  for (const auto& [name, value] : now)
    if (const std::string known = before.value(name, std::string()); known != value)
      throw_other(file, name, known, value);
  for (const auto& [name, value] : before.items())
    if (!now.contains(name)) throw_other(file, name, value.get<std::string>(), {});
}

}  // namespace

Journal::Journal(fs::path file, const Beginning& beginning, std::stop_token stop)
    : file_(std::move(file)), stop_(std::move(stop)), content_(std::make_unique<json>()) {
  if (!fs::exists(file_)) {
    *content_ = {{"version", version}, {"began_with", beginning}, {"stages", json::object()}};
    write();
    return;
  }
  *content_ = read_json(file_);
  try {
    if (content_->at("version").get<int>() != version)
      throw Error(fmt::format("{}: expected version {}, found {}", file_.string(), version,
                              content_->at("version").get<int>()));
    require_same(file_, content_->at("began_with"), beginning);
    resumed_ = !content_->at("stages").empty();
  } catch (const json::exception& error) {
    throw Error(
        fmt::format("{}: expected the journal of a run, found {}", file_.string(), error.what()));
  }
}

Journal::~Journal() = default;

std::optional<json> Journal::found(const std::string& stage) const {
  const json& stages = content_->at("stages");
  const auto one = stages.find(stage);
  if (one == stages.end()) return std::nullopt;
  try {
    for (const auto& [name, hash] : one->at("files").items()) {
      const fs::path path = file_.parent_path() / name;
      if (!fs::exists(path))
        throw Error(fmt::format("{}: '{}' wrote it, and it is gone; give another --out",
                                path.string(), stage));
      if (sha256_of_file(path, stop_) != hash.get<std::string>())
        throw Error(fmt::format("{}: '{}' wrote it, and it was changed since; give another --out",
                                path.string(), stage));
    }
    return one->at("found");
  } catch (const json::exception& error) {
    throw Error(
        fmt::format("{}: stage '{}': {}", file_.string(), text::printable(stage), error.what()));
  }
}

void Journal::finish(const std::string& stage, const json& found,
                     const std::vector<fs::path>& files) {
  json hashes = json::object();
  for (const fs::path& path : files)
    for (const fs::path& one : file::files_of(path))
      hashes[one.lexically_proximate(file_.parent_path()).string()] = sha256_of_file(one, stop_);
  (*content_)["stages"][stage] = {{"found", found}, {"files", hashes}};
  write();
}

void Journal::write() const { file::write_atomically(file_, json_text(*content_, 1) + "\n"); }

}  // namespace yolov7::compression
