// yolov7 man [verb] [--out DIR]
#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/man_page.hpp"
#include "cli/verb.hpp"
#include "cli/verb_tables.hpp"
#include "core/file.hpp"
#include "core/text.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct ManOptions {
  std::vector<std::string> verb;
  std::string out;
};

Settings settings(ManOptions& o) {
  return Settings{
      "man",
      {setting("verb", o.verb, "the verb whose page is printed (dataset check); without: yolov7(1)")
           .positional(),
       setting("out", o.out, "folder: all pages are written there, one file each")}};
}

std::string page_of(const std::string& title) {
  if (title.empty()) return program_page();
  std::string page;
  std::vector<std::string> titles;
  each_table([&](const std::string& words, const Verb&, const Settings& table) {
    titles.push_back(words);
    if (words == title) page = verb_page(table);
  });
  if (page.empty())
    throw usage_error(fmt::format("man: expected a verb of the program, found '{}'{}", title,
                                  text::did_you_mean(title, titles)));
  return page;
}

json write_all(const fs::path& folder, Output& output) {
  file::make_folder(folder);
  json files = json::array();
  const auto write = [&](std::string_view title, const std::string& page) {
    file::write_atomically(folder / page_file(title), page);
    files.push_back(page_file(title));
  };
  write("", program_page());
  each_table([&](const std::string& title, const Verb&, const Settings& table) {
    write(title, verb_page(table));
  });
  output.line(fmt::format("{} pages in {}", files.size(), folder.string()));
  return {{"out", folder.string()}, {"files", files}};
}

}  // namespace

json run_man(const std::vector<std::string>& arguments, Output& output) {
  ManOptions options;
  if (!parse_arguments(settings(options), arguments, output)) return {};
  const std::string title = text::join(options.verb, " ");
  if (!options.out.empty() && !title.empty())
    throw usage_error("man: expected a verb or --out, found both");
  if (!options.out.empty()) return write_all(options.out, output);
  std::string page = page_of(title);
  const json result = {{"page", page_file(title)}, {"text", page}};
  page.pop_back();  // line() ends the last line
  output.line(page);
  return result;
}

}  // namespace yolov7::cli
