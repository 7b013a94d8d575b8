#pragma once
// Labels of one picture in the YOLO text format (data 3).
#include <filesystem>
#include <opencv2/core/types.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/index/row_shape.hpp"
#include "image/boxes/box.hpp"

namespace yolov7::dataset {

struct Label {
  int class_index = 0;
  CxcywhNormalized box;
  std::vector<cv::Point2d> polygon;  ///< normalized; empty for a plain box
};

/// A row or file that was left out, and why. Counted and named wherever it happens.
struct Problem {
  std::filesystem::path file;
  int line = 0;  ///< from 1; 0 = the whole file
  std::string reason;
};

/// "labels/a.txt:7: reason", or without the line number for a whole file.
std::string text_of(const Problem& problem);

enum class LabelFault { none, format, class_out_of_range };

struct LabelFile {
  std::vector<Label> labels;
  std::vector<Problem> dropped;  ///< duplicate rows, boxes without area: the rest of the file stays
  LabelFault fault = LabelFault::none;
  Problem failure;  ///< with a fault: the first row that makes the whole file unusable
  std::size_t with_key_points = 0;       ///< rows whose key points are not used
  std::vector<Problem> unknown_classes;  ///< every row with class_out_of_range, the failure first
  LongRows long_rows;                    ///< what its rows of 7 and more columns may be
};

/// Per line: 5 numbers = box, odd count ≥ 7 = polygon, anything else Error "file:line: …". With
/// `key_point_columns` above 0 (data.yaml's kpt_shape) a line is a box, alone or with so many
/// further numbers, which are not used, and never a polygon. Without, whoever reads a whole set
/// asks hold_key_points() of its long rows first. Errors also: class not an integer or outside 0 …
/// class_count − 1 (class_count 0: unchecked), negative, not finite, > 1. CRLF, a byte order mark
/// and blank lines are fine. `strict`: what would be dropped is an Error too.
LabelFile parse_labels(std::string_view text, const std::filesystem::path& source, int class_count,
                       bool strict = false, int key_point_columns = 0);
/// The same, with the failure in the result instead of an Error.
LabelFile try_parse_labels(std::string_view text, const std::filesystem::path& source,
                           int class_count, bool strict = false, int key_point_columns = 0);
/// One line per label, shortest decimals that give the same float back.
std::string format_labels(const std::vector<Label>& labels);
/// The label path of a picture (data 3.1, F03).
std::filesystem::path label_path(const std::filesystem::path& picture);

}  // namespace yolov7::dataset
