#pragma once
// COCO JSON of instances (Lin et al., "Microsoft COCO: common objects in context", ECCV 2014;
// data format as published with the data set).
#include <filesystem>

#include "dataset/formats/format.hpp"

namespace yolov7::dataset {

/// Whether the file begins like COCO instances.
bool is_coco(const SourceTree& tree, const std::filesystem::path& file);
AnnotatedSet read_coco(const Reading& reading);
void write_coco(const Writing& writing);

}  // namespace yolov7::dataset
