// yolov7 dataset version merge OURS THEIRS
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "cli/verbs/version_options.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "versions/merge.hpp"

namespace yolov7::cli {
namespace {

constexpr std::size_t most_lines = 20;

struct MergeVerbOptions {
  std::vector<std::string> versions;
  std::string base, name, message, author, store;
  versions::OnConflict on_conflict = versions::OnConflict::fail;
};

Settings settings(MergeVerbOptions& o) {
  return {"dataset version merge",
          {setting("versions", o.versions, "ours and theirs").positional(),
           setting("base", o.base,
                   "the version that both come from; without: the newest one by their parents"),
           setting("on-conflict", o.on_conflict,
                   "what holds where both changed one thing in different ways; fail: nothing is "
                   "written, and all conflicts are listed",
                   {"fail", "ours", "theirs"}),
           setting("name", o.name, "data set that gets the version; without: that of ours"),
           setting("message", o.message, "what this version is about"),
           setting("author", o.author, "who made it; without: the user's name"),
           store_setting(o.store)}};
}

std::string conflict_line(const versions::Conflict& one) {
  const auto shown = [](const std::string& text) {
    return text.empty() ? std::string("absent") : "'" + text + "'";
  };
  return fmt::format("{}{}: before {}, ours {}, theirs {}", one.path.empty() ? "" : one.path + ": ",
                     one.what, shown(one.base), shown(one.ours), shown(one.theirs));
}

nlohmann::json conflicts_json(const std::vector<versions::Conflict>& conflicts) {
  nlohmann::json list = nlohmann::json::array();
  for (const versions::Conflict& one : conflicts)
    list.push_back({{"path", one.path},
                    {"what", one.what},
                    {"base", one.base},
                    {"ours", one.ours},
                    {"theirs", one.theirs}});
  return list;
}

}  // namespace

nlohmann::json run_version_merge(const std::vector<std::string>& arguments, Output& output) {
  MergeVerbOptions o;
  if (!parse_arguments(settings(o), arguments, output)) return {};
  if (o.versions.size() != 2)
    throw usage_error(
        fmt::format("dataset version merge: expected two versions, found {}", o.versions.size()));
  versions::Store store = open_store(o.store);
  const versions::Merged done =
      versions::merge(store, {o.versions[0], o.versions[1], o.base, o.on_conflict, o.name,
                              o.message, o.author, interrupt::token()});
  output.line(fmt::format("base {}, ours {}, theirs {}", versions::label_of(done.base),
                          versions::label_of(done.ours), versions::label_of(done.theirs)));
  output.line(
      fmt::format("boxes: {} changes from ours, {} from theirs, {} made alike by both; "
                  "images: {} from ours, {} from theirs; {} conflicts",
                  done.boxes_from_ours, done.boxes_from_theirs, done.boxes_alike,
                  done.images_from_ours, done.images_from_theirs, done.conflicts.size()));
  for (std::size_t i = 0; i < std::min(done.conflicts.size(), most_lines); ++i)
    output.line("  " + conflict_line(done.conflicts[i]));
  if (done.conflicts.size() > most_lines)
    output.line(fmt::format("  and {} more (--json has all)", done.conflicts.size() - most_lines));
  nlohmann::json result = {{"base", versions::full_name(done.base)},
                           {"ours", versions::full_name(done.ours)},
                           {"theirs", versions::full_name(done.theirs)},
                           {"conflicts", conflicts_json(done.conflicts)},
                           {"boxes_from_ours", done.boxes_from_ours},
                           {"boxes_from_theirs", done.boxes_from_theirs},
                           {"boxes_alike", done.boxes_alike}};
  if (!done.entry) {
    log::error(
        fmt::format("{} conflicts, nothing is written: --on-conflict ours or theirs decides "
                    "all of them",
                    done.conflicts.size()));
    output.code = ExitCode::failure;
    return result;
  }
  output.line(done.already_there ? "no difference to ours: no new version"
                                 : entry_line(*done.entry));
  result["version"] = entry_json(*done.entry);
  return result;
}

}  // namespace yolov7::cli
