#include "dataset/doctor/subject.hpp"

namespace yolov7::dataset::doctor {

bool Picture::own_box(const RawRow& row, double slack) const {
  return row.is_box() &&
         box_under(Layout{}, row.numbers(), facts.width, facts.height, slack).has_value();
}

std::size_t Subject::pictures() const {
  std::size_t count = 0;
  for (const Split& split : splits) count += split.pictures.size();
  return count;
}

}  // namespace yolov7::dataset::doctor
