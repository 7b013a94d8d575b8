#pragma once
// The table of annotation formats: command line, detection, losses and docs/formats.md walk it.
#include <map>
#include <string>
#include <vector>

#include "dataset/formats/format.hpp"

namespace yolov7::dataset {

const std::vector<Format>& formats();
/// By name or spelling, any case. Error (usage) names those that there are.
const Format& format_named(const std::string& name, const std::string& option);
/// The one format whose signs are there. Error: none, or several (they are named); `choice` says
/// how one is named.
const Format& detect_format(const SourceTree& tree, const std::string& choice = {});
/// By name or spelling, any case; nullptr: there is none.
const Format* find_format(const std::string& name);
/// "auto, coco, yolo, …" for --from, and those that are written for --to.
std::vector<std::string> readable_names();
std::vector<std::string> writable_names();

/// How many objects and images have something that the format cannot hold, by its name in words
/// ("rotation"), and where it goes instead ("attribute", "side file") or that it is lost.
struct Loss {
  std::string what;
  std::size_t count = 0;
  Keep where = Keep::no;
};
std::vector<Loss> losses(const AnnotatedSet& set, const Format& format);
/// Takes out of the set what the format has no place for: what comes back from its files.
void keep_what_it_holds(AnnotatedSet& set, const Format& format);
/// The table of docs/formats.md, as Markdown.
std::string format_table_text();
/// What the marks of the table do not say, a line for each format that has something.
std::string format_limits_text();

}  // namespace yolov7::dataset
