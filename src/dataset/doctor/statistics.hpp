#pragma once
// What a data set consists of, as tables with a column for each split: classes, sizes, shapes,
// crowding, places, light (data-services D1). Two sets stand side by side in the same tables.
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "dataset/doctor/subject.hpp"

namespace yolov7::dataset::doctor {

struct StatTable {
  std::string name;    ///< in JSON
  std::string title;   ///< for people, with the unit
  bool counts = true;  ///< counts of things, of which each column has a sum; else single figures
  std::vector<std::string> rows;
  std::vector<std::vector<double>> values;  ///< row by row, one for each column
};

struct Statistics {
  std::vector<std::string> columns;  ///< splits
  std::vector<StatTable> tables;
};

/// Over what training takes: usable images, and boxes of the format. Sizes are those at the
/// training size `image_size`, where the long side of an image is that long.
Statistics statistics_of(const Subject& subject, int image_size);
/// The columns of both, named "A train", "B train", …; rows that only one has are 0 in the other. A
/// table that only one has is left out: of pairs, which 2 to 20 classes have.
Statistics side_by_side(const Statistics& a, const std::string& a_name, const Statistics& b,
                        const std::string& b_name);

nlohmann::json to_json(const Statistics& statistics);
/// Tables for a terminal: counts with their share of the column.
std::vector<std::string> lines_of(const Statistics& statistics);

}  // namespace yolov7::dataset::doctor
