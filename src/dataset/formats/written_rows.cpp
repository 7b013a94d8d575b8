#include "dataset/formats/written_rows.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::dataset {

void add_rows(LongRows& rows, std::string_view text) {
  int number = 0;
  for (const std::string_view row : text::lines(text))
    rows.add(text::split_blank(text::trim(row)), {}, ++number);
}

bool need_declaration(const LongRows& polygons) {
  try {
    return hold_key_points(polygons);
  } catch (const Error&) {
    return true;
  }
}

}  // namespace yolov7::dataset
