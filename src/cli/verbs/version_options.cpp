#include "cli/verbs/version_options.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "core/log.hpp"
#include "core/text.hpp"

namespace yolov7::cli {
namespace {

constexpr std::size_t most_lines = 10;
constexpr const char* transfers[] = {"there already", "reflinks", "hard links", "copies"};

}  // namespace

Setting store_setting(std::string& store) {
  return setting("store", store,
                 "folder of the version store; without: YOLOV7_STORE, else the nearest .yolov7 of "
                 "the working folder and those above it");
}

versions::Store open_store(const std::string& given) {
  return versions::Store::open(versions::store_folder(given));
}

void require_reference(std::string_view part, const std::string& reference) {
  if (reference.empty())
    throw usage_error(fmt::format(
        "dataset version {}: expected a version as NAME, NAME@v3 or NAME@ID, found none", part));
}

nlohmann::json entry_json(const versions::Entry& entry) {
  nlohmann::json value = {{"name", entry.name},
                          {"number", entry.number},
                          {"id", hex(entry.id)},
                          {"message", entry.message},
                          {"author", entry.author},
                          {"program", entry.program},
                          {"created", entry.created},
                          {"images", entry.images},
                          {"boxes", entry.boxes},
                          {"not_annotated", entry.not_annotated},
                          {"parents", nlohmann::json::array()}};
  for (const auto& parent : {entry.parent, entry.second_parent})
    if (parent) value["parents"].push_back(hex(*parent));
  return value;
}

std::string entry_line(const versions::Entry& entry) {
  std::string line =
      fmt::format("{}: {} images, {} boxes", versions::label_of(entry), entry.images, entry.boxes);
  if (entry.not_annotated > 0)
    line += fmt::format(", {} images not annotated", entry.not_annotated);
  return line;
}

std::string transfer_text(const std::array<std::size_t, 4>& by_transfer) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < by_transfer.size(); ++i)
    if (by_transfer[i] > 0) parts.push_back(fmt::format("{} {}", by_transfer[i], transfers[i]));
  return parts.empty() ? "none" : text::join(parts, ", ");
}

nlohmann::json transfer_json(const std::array<std::size_t, 4>& by_transfer) {
  return {{"there", by_transfer[0]},
          {"reflinks", by_transfer[1]},
          {"hard_links", by_transfer[2]},
          {"copies", by_transfer[3]}};
}

void warn_of(const std::vector<std::string>& list, const std::string& what) {
  if (list.empty()) return;
  log::warning(fmt::format("{} {}", list.size(), what));
  for (std::size_t i = 0; i < std::min(list.size(), most_lines); ++i) log::warning("  " + list[i]);
  if (list.size() > most_lines)
    log::warning(fmt::format("  and {} more", list.size() - most_lines));
}

}  // namespace yolov7::cli
