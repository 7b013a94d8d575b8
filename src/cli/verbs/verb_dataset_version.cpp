// yolov7 dataset version create | list | show | diff | checkout | verify | gc | bundle | which |
// merge
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "core/text.hpp"

namespace yolov7::cli {

const std::vector<Verb>& version_parts() {
  static const std::vector<Verb> list = {
      {"create", "make a version of a data set; nothing is copied", run_version_create},
      {"list", "all versions, or those of one data set", run_version_list},
      {"show", "one version: counts, classes, splits, what it was made from", run_version_show},
      {"diff", "what differs between two versions, down to the box", run_version_diff},
      {"checkout", "write a version as files again, in any annotation format",
       run_version_checkout},
      {"verify", "read everything that versions name and compare it with its SHA-256",
       run_version_verify},
      {"gc", "remove what no version needs, and versions by name", run_version_gc},
      {"bundle", "versions in one file, to carry them to another machine", run_version_bundle},
      {"which", "which versions a model or an image comes from, and what came from a version",
       run_version_which},
      {"merge", "join two versions box by box", run_version_merge},
  };
  return list;
}

namespace {

void print_help(const Output& output) {
  output.line("yolov7 dataset version <part> [options]");
  output.line("");
  for (const Verb& part : version_parts())
    output.line(fmt::format("  {:<10}{}", part.name, part.summary));
  output.line("");
  output.line("yolov7 dataset version <part> --help shows the options of a part.");
}

}  // namespace

nlohmann::json run_dataset_version(const std::vector<std::string>& arguments, Output& output) {
  std::vector<std::string> names;
  for (const Verb& part : version_parts()) names.emplace_back(part.name);
  if (arguments.empty())
    throw usage_error(
        fmt::format("dataset version: expected one of {}, found nothing", text::join(names, ", ")));
  const std::string& first = arguments.front();
  if (first == "--help" || first == "-h" || first == "help") {
    print_help(output);
    return {};
  }
  for (const Verb& part : version_parts())
    if (first == part.name) return part.run({arguments.begin() + 1, arguments.end()}, output);
  throw usage_error(fmt::format("dataset version: expected one of {}, found '{}'{}",
                                text::join(names, ", "), first, text::did_you_mean(first, names)));
}

}  // namespace yolov7::cli
