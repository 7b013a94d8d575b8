#include "dataset/formats/voc_import.hpp"

#include "dataset/formats/convert.hpp"

namespace yolov7::dataset {

Conversion import_voc(const VocImportOptions& options) {
  ConvertOptions convert_options;
  convert_options.source = options.source;
  convert_options.out = options.out;
  convert_options.from = "voc";
  convert_options.to = "yolo";
  convert_options.read.threads = options.threads;
  convert_options.prepare.names = options.names;
  convert_options.prepare.shares = options.shares;
  convert_options.prepare.seed = options.seed;
  convert_options.prepare.orientation = options.orientation;
  convert_options.prepare.threads = options.threads;
  convert_options.write.hard_link = options.hard_link;
  convert_options.stop = options.stop;
  return convert(convert_options);
}

}  // namespace yolov7::dataset
