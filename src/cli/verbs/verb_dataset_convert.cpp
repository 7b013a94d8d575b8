// yolov7 dataset convert --from auto --source DIR --to yolo --out DIR
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "cli/verbs/arrange_options.hpp"
#include "core/interrupt.hpp"
#include "core/text.hpp"
#include "dataset/formats/convert.hpp"
#include "dataset/formats/format_table.hpp"
#include "dataset/formats/splits.hpp"
#include "image/codec/truncated.hpp"

namespace yolov7::cli {
namespace {

struct ConvertOptions {
  std::string from = "auto", to = "yolo", source, out, images, split, class_attribute,
              crowdhuman_box = "full";
  int seed = 0;
  std::vector<std::string> names;
  TruncatedRule truncated;
  dataset::BoxOrientation voc_orientation = dataset::BoxOrientation::unknown;
  bool link = false, voc_one_based = false, as_predictions = false, keep_degenerate = false,
       scale_to_image = false, only_headers = false;
};

std::vector<std::string> with_auto(std::vector<std::string> names) {
  names.insert(names.begin(), "auto");
  return names;
}

std::vector<Setting> source_settings(ConvertOptions& o) {
  return group(
      "Source",
      {setting("from", o.from,
               "format of the source: " + text::join(with_auto(dataset::readable_names()), ", ") +
                   "; auto goes by the files")
           .basic(),
       setting("source", o.source,
               "folder with annotations and images at any depth, or one annotation file")
           .basic(),
       setting("images", o.images, "a further folder with images").basic(),
       setting("class-attribute", o.class_attribute,
               "the attribute that is the class, where the format leaves it open (via)"),
       setting("voc-one-based", o.voc_one_based,
               "Pascal VOC: corners are numbers of pixels from 1, as in the original data set"),
       setting(
           "voc-orientation", o.voc_orientation,
           "Pascal VOC: which image the boxes are of where EXIF turns it and sizes do not tell; "
           "auto takes the one that is shown, with a note",
           {"auto", "stored", "shown"}),
       setting("crowdhuman-box", o.crowdhuman_box, "CrowdHuman: which box of each person")
           .choices({"full", "visible", "head", "all"}),
       setting("as-predictions", o.as_predictions, "YOLO: a sixth value in a row is a score")});
}

std::vector<Setting> output_settings(ConvertOptions& o) {
  return group(
      "Output",
      {setting("to", o.to, "format to write: " + text::join(dataset::writable_names(), ", "))
           .basic(),
       setting("out", o.out, "folder to write: new or empty").basic(),
       setting("link", o.link,
               "hard links to the images instead of copies, where the file system can")
           .basic()});
}

std::vector<Setting> class_settings(ConvertOptions& o) {
  return group(
      "Classes and splits",
      {setting("names", o.names,
               "classes in this order, separated by commas; boxes of others are dropped. "
               "Without: those of the source")
           .basic(),
       setting("split", o.split,
               "shares of train,val,test in percent (70,20,10) where the source has no splits; "
               "without, everything is train")
           .basic(),
       setting("seed", o.seed, "seed of the shares").range(0, 2147483647).basic()});
}

std::vector<Setting> image_settings(ConvertOptions& o) {
  return group(
      "Boxes and images",
      {setting("keep-degenerate", o.keep_degenerate, "keep boxes that are thinner than 1 pixel"),
       setting("scale-to-image", o.scale_to_image,
               "scale boxes where an annotation has another size than its image"),
       setting("only-headers", o.only_headers,
               "read sizes of images alone: faster, and a broken image is not found")});
}

Settings settings(ConvertOptions& o) {
  return {"dataset convert",
          joined({source_settings(o), output_settings(o), class_settings(o), image_settings(o),
                  truncated_settings(o.truncated, "Boxes and images")})};
}

}  // namespace

nlohmann::json run_dataset_convert(const std::vector<std::string>& arguments, Output& output) {
  ConvertOptions options;
  if (!parse_arguments(settings(options), arguments, output)) return {};
  if (options.source.empty())
    throw usage_error("dataset convert: expected --source with the folder to convert, found none");
  if (options.out.empty())
    throw usage_error("dataset convert: expected --out with the folder to write, found none");
  set_truncated_rule(options.truncated);
  dataset::ConvertOptions convert;
  convert.source = options.source;
  convert.out = options.out;
  convert.images = options.images;
  convert.from = options.from;
  convert.to = options.to;
  if (!options.split.empty()) convert.prepare.shares = dataset::parse_shares(options.split);
  convert.prepare.seed = static_cast<std::uint64_t>(options.seed);
  convert.prepare.names = name_list(options.names, "dataset convert: --names");
  convert.prepare.keep_degenerate = options.keep_degenerate;
  convert.prepare.scale_to_image = options.scale_to_image;
  convert.prepare.decode = !options.only_headers;
  convert.prepare.orientation = options.voc_orientation;
  convert.read.names = convert.prepare.names;
  convert.read.class_attribute = options.class_attribute;
  convert.read.voc_one_based = options.voc_one_based;
  convert.read.crowdhuman_box = options.crowdhuman_box;
  convert.read.as_predictions = options.as_predictions;
  convert.write.hard_link = options.link;
  convert.stop = interrupt::token();
  const dataset::Conversion conversion = dataset::convert(convert);
  for (const std::string& line : dataset::summary_lines(conversion)) output.line(line);
  const auto place = convert.out / (conversion.to == "yolo" ? "data.yaml" : "");
  output.line(fmt::format("written: {}", place.string()));
  return dataset::to_json(conversion);
}

}  // namespace yolov7::cli
