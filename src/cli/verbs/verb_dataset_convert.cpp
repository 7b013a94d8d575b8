// yolov7 dataset convert --from voc --source DIR --to yolo --out DIR
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "core/text.hpp"
#include "dataset/formats/splits.hpp"
#include "dataset/formats/voc_import.hpp"

namespace yolov7::cli {
namespace {

struct ConvertOptions {
  std::string from = "voc", to = "yolo", source, out, split;
  int seed = 0;
  std::vector<std::string> names;
  bool link = false;
};

Settings settings(ConvertOptions& o) {
  return Settings{
      "dataset convert",
      {
          setting("from", o.from, "format of the source").choices({"voc"}),
          setting("source", o.source,
                  "folder with the annotations (XML) and pictures, at any depth"),
          setting("to", o.to, "format to write").choices({"yolo"}),
          setting("out", o.out, "folder to write: new or empty"),
          setting("split", o.split,
                  "shares of train,val,test in percent (70,20,10) where the source has no "
                  "ImageSets lists; without, everything is train"),
          setting("seed", o.seed, "seed of the shares").range(0, 2147483647),
          setting("names", o.names,
                  "classes in this order, separated by commas; boxes of others are dropped. "
                  "Without: all, sorted by name"),
          setting("link", o.link,
                  "hard links to the pictures instead of copies, where the file system can"),
      }};
}

/// "a,b c,d" or several arguments; blanks around a name do not count, those inside do.
std::vector<std::string> class_names(const std::vector<std::string>& texts) {
  std::vector<std::string> names;
  for (const std::string& text : texts)
    for (const std::string_view part : text::split(text, ',')) {
      const std::string_view name = text::trim(part);
      if (name.empty())
        throw usage_error(fmt::format(
            "dataset convert: --names: expected class names separated by commas, found '{}'",
            text));
      names.emplace_back(name);
    }
  return names;
}

}  // namespace

nlohmann::json run_dataset_convert(const std::vector<std::string>& arguments, Output& output) {
  ConvertOptions options;
  if (!parse_arguments(settings(options), arguments, output)) return {};
  if (options.source.empty())
    throw usage_error("dataset convert: expected --source with the folder to convert, found none");
  if (options.out.empty())
    throw usage_error("dataset convert: expected --out with the folder to write, found none");
  dataset::VocImportOptions import;
  import.source = options.source;
  import.out = options.out;
  if (!options.split.empty()) import.shares = dataset::parse_shares(options.split);
  import.seed = static_cast<std::uint64_t>(options.seed);
  import.names = class_names(options.names);
  import.hard_link = options.link;
  const dataset::Conversion conversion = dataset::import_voc(import);
  for (const std::string& line : dataset::summary_lines(conversion)) output.line(line);
  output.line(fmt::format("written: {}", (import.out / "data.yaml").string()));
  return dataset::to_json(conversion);
}

}  // namespace yolov7::cli
