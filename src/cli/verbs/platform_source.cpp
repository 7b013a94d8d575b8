#include "cli/verbs/platform_source.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/interrupt.hpp"
#include "dataset/formats/convert.hpp"

namespace yolov7::cli {

std::vector<Setting> source_settings(PlatformSource& source) {
  return group(
      "Source",
      {setting("source", source.source,
               "folder with images and annotations of any format, or one annotation file")
           .basic(),
       setting("from", source.from,
               "format of the source (dataset convert --help lists them); auto goes by the files")
           .basic(),
       setting("images", source.images, "a further folder with images"),
       setting("scores", source.scores,
               "YOLO: a sixth value in a row is a score, as detect --save-conf writes it")
           .basic(),
       setting("journal", source.journal,
               "file that remembers what was sent; '' = .yolov7/platforms.sqlite in the source")});
}

dataset::AnnotatedSet read_source(const PlatformSource& source, const std::string& verb,
                                  dataset::Conversion& account) {
  if (source.source.empty())
    throw usage_error(
        fmt::format("{}: expected --source with the folder to send, found none", verb));
  dataset::ConvertOptions options;
  options.source = source.source;
  options.images = source.images;
  options.from = source.from;
  options.read.as_predictions = source.scores;
  options.stop = interrupt::token();
  return dataset::read_annotations_of(options, account);
}

}  // namespace yolov7::cli
