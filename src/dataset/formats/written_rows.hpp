#pragma once
// Label rows that this program writes must be read as what they are (data 3.4).
#include <string_view>

#include "dataset/index/row_shape.hpp"

namespace yolov7::dataset {

/// The rows of a label file's text.
void add_rows(LongRows& rows, std::string_view text);
/// Whether polygons would be taken for something else, or refused: a data.yaml for them says
/// `kpt_shape: [0, 0]` then.
bool need_declaration(const LongRows& polygons);

}  // namespace yolov7::dataset
