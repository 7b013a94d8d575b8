#include "dataset/formats/conversion.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"

namespace yolov7::dataset {
namespace {

constexpr std::size_t most_lines = 10;

nlohmann::json to_json(const InOut& count) {
  return {{"in", count.in}, {"out", count.out}, {"dropped", count.dropped}};
}

void require(const InOut& count, const char* what) {
  if (count.in != count.out + count.dropped)
    throw Error(fmt::format("conversion: the {} do not add up: {} in, {} out, {} dropped", what,
                            count.in, count.out, count.dropped));
}

nlohmann::json drops_json(const Conversion& conversion) {
  nlohmann::json list = nlohmann::json::array();
  for (const ConversionDrop& drop : conversion.drops)
    list.push_back({{"kind", drop.kind},
                    {"file", drop.file.string()},
                    {"line", drop.line},
                    {"boxes", drop.boxes},
                    {"reason", drop.reason}});
  return list;
}

nlohmann::json splits_json(const Conversion& conversion) {
  nlohmann::json splits = nlohmann::json::object();
  for (const SplitCount& split : conversion.splits) {
    nlohmann::json classes = nlohmann::json::array();
    for (std::size_t i = 0; i < conversion.names.size(); ++i)
      classes.push_back({{"name", conversion.names[i]}, {"boxes", split.boxes_per_class[i]}});
    splits[split.name] = {{"pictures", split.pictures},
                          {"boxes", split.boxes},
                          {"empty", split.empty},
                          {"classes", std::move(classes)}};
  }
  return splits;
}

nlohmann::json losses_json(const Conversion& conversion) {
  nlohmann::json list = nlohmann::json::array();
  for (const ConversionLoss& loss : conversion.losses)
    list.push_back({{"what", loss.what}, {"count", loss.count}, {"where", loss.where}});
  return list;
}

void add_losses(const Conversion& conversion, std::vector<std::string>& lines) {
  for (const auto& [kind, count] : conversion.not_boxes)
    lines.push_back(fmt::format("not a box, left out: {} of kind {}", count, kind));
  for (const ConversionLoss& loss : conversion.losses)
    lines.push_back(loss.where.empty() ? fmt::format("lost: {} of {}, for which {} has no place",
                                                     loss.count, loss.what, conversion.to)
                                       : fmt::format("{} of {}: written as {}", loss.count,
                                                     loss.what, loss.where));
}

void add_drops(const Conversion& conversion, const std::string& all_in,
               std::vector<std::string>& lines) {
  if (conversion.drops.empty()) return;
  lines.push_back("dropped:");
  for (std::size_t i = 0; i < conversion.drops.size() && i < most_lines; ++i) {
    const ConversionDrop& drop = conversion.drops[i];
    const bool whole = drop.kind == "annotation" || (drop.kind == "image" && drop.boxes > 0);
    const std::string lost = whole ? fmt::format(", {} boxes", drop.boxes) : "";
    lines.push_back(
        fmt::format("  {}{}: {}", drop.kind, lost, text_of({drop.file, drop.line, drop.reason})));
  }
  if (conversion.drops.size() > most_lines)
    lines.push_back(fmt::format("  and {} more, all named in {}",
                                conversion.drops.size() - most_lines, all_in));
}

void add_notes(const Conversion& conversion, const std::string& all_in,
               std::vector<std::string>& lines) {
  for (std::size_t i = 0; i < conversion.notes.size() && i < most_lines; ++i)
    lines.push_back("note: " + text_of(conversion.notes[i]));
  if (conversion.notes.size() > most_lines)
    lines.push_back(
        fmt::format("note: and {} more, all in {}", conversion.notes.size() - most_lines, all_in));
  if (!conversion.renamed.empty())
    lines.push_back(fmt::format(
        "note: {} images got another name, since an image of another folder has "
        "theirs, or since it is no text in UTF-8; the first is {} → {}",
        conversion.renamed.size(), text::printable(conversion.renamed.front().first.string()),
        conversion.renamed.front().second));
  if (conversion.val_is_train)
    lines.push_back(
        fmt::format("warning: there are no validation images; {} the training images as val, so "
                    "results say nothing about unseen images. Use {} 70,20,10 {}for splits of "
                    "their own.",
                    conversion.out.empty() ? "there stand" : "data.yaml names",
                    setting_name("split"), conversion.out.empty() ? "of dataset convert " : ""));
}

}  // namespace

void Conversion::drop(ConversionDrop one) {
  ++(one.kind == "annotation" ? annotations : one.kind == "image" ? pictures : boxes).dropped;
  if (one.kind != "box") boxes.dropped += one.boxes;
  drops.push_back(std::move(one));
}

void require_balance(const Conversion& conversion) {
  require(conversion.annotations, "annotations");
  require(conversion.pictures, "pictures");
  require(conversion.boxes, "boxes");
}

nlohmann::json to_json(const Conversion& conversion) {
  nlohmann::json notes = nlohmann::json::array(), renamed = nlohmann::json::array();
  for (const Problem& note : conversion.notes)
    notes.push_back({{"file", note.file.string()}, {"line", note.line}, {"note", note.reason}});
  for (const auto& [path, name] : conversion.renamed)
    renamed.push_back({{"picture", path.string()}, {"name", name}});
  return {{"source", conversion.source.string()},
          {"out", conversion.out.string()},
          {"from", conversion.from},
          {"to", conversion.to},
          {"names", conversion.names},
          {"annotations", to_json(conversion.annotations)},
          {"pictures", to_json(conversion.pictures)},
          {"boxes", to_json(conversion.boxes)},
          {"difficult", conversion.difficult},
          {"clipped", conversion.clipped},
          {"truncated", conversion.truncated},
          {"split_rule", conversion.split_rule},
          {"splits", splits_json(conversion)},
          {"val_is_train", conversion.val_is_train},
          {"not_boxes", conversion.not_boxes},
          {"losses", losses_json(conversion)},
          {"dropped", drops_json(conversion)},
          {"notes", std::move(notes)},
          {"renamed", std::move(renamed)}};
}

void add_reasons(const Conversion& conversion, const std::string& all_in,
                 std::vector<std::string>& lines) {
  add_losses(conversion, lines);
  add_drops(conversion, all_in, lines);
  add_notes(conversion, all_in, lines);
}

std::vector<std::string> summary_lines(const Conversion& conversion, const std::string& all_in) {
  std::vector<std::string> lines;
  const auto add = [&lines](const char* what, const InOut& count) {
    lines.push_back(
        fmt::format("{}: {} in, {} out, {} dropped", what, count.in, count.out, count.dropped));
  };
  add("annotations", conversion.annotations);
  add("images", conversion.pictures);
  add("boxes", conversion.boxes);
  lines.push_back(fmt::format("boxes marked difficult (kept): {}; clipped to their image: {}",
                              conversion.difficult, conversion.clipped));
  if (conversion.truncated > 0)
    lines.push_back(
        fmt::format("images whose file lacks its end (kept): {}", conversion.truncated));
  lines.push_back("splits: " + conversion.split_rule);
  for (const SplitCount& split : conversion.splits)
    lines.push_back(fmt::format("  {}: {} images, {} boxes, {} images without a box", split.name,
                                split.pictures, split.boxes, split.empty));
  lines.push_back(
      fmt::format("classes ({}): {}", conversion.names.size(), text::join(conversion.names, ", ")));
  add_reasons(conversion, all_in, lines);
  return lines;
}

}  // namespace yolov7::dataset
