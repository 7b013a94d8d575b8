// yolov7 active status LOOP
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "cli/verbs/active_loop_options.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "loop/report.hpp"

namespace yolov7::cli {

nlohmann::json run_active_status(const std::vector<std::string>& arguments, Output& output) {
  LoopStart start;
  std::string page;
  const Settings settings{
      "active status",
      {loop_folder_setting(start),
       setting("page", page,
               "HTML file to write, with curves; without: report.html in the folder of the loop")
           .basic()}};
  if (!parse_arguments(settings, arguments, output)) return {};
  require_folder(start, "active status");
  const loop::State state = loop::State::read(start.folder);
  nlohmann::json found = loop::status(state);
  const std::filesystem::path file =
      page.empty() ? state.folder() / "report.html" : std::filesystem::path(page);
  if (!page.empty() && std::filesystem::exists(file))
    throw Error(fmt::format("{}: expected a new file for the page, found one", page));
  file::write_atomically(file, loop::status_page(found));
  for (const std::string& line : loop::status_lines(found)) output.line(line);
  output.line("page: " + file.string());
  found["page"] = file.string();
  return found;
}

}  // namespace yolov7::cli
