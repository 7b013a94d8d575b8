#pragma once
// Formats of plain text rows: CSV with its quotes, and files beside each image.
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/formats/format.hpp"

namespace yolov7::dataset {

struct CsvRow {
  int line = 0;
  std::vector<std::string> cells;
};
/// Rows with quotes undone ("" is a quote); the separator is that of ',', ';' and tab which stands
/// most often in the first line. Blank lines are left out. Error: a quote that is never closed.
std::vector<CsvRow> parse_csv(std::string_view text, const std::string& source);

/// For formats with one text file per image, told by its stem: hands out each file for which
/// `is_one` is true, as an image whose annotation and split (by the folders' names) are set, with
/// its text, and finds the image in `sister`, a folder beside that of the text.
void read_text_files(const Reading& reading, AnnotatedSet& set,
                     bool (*is_one)(std::string_view head), const char* sister,
                     const std::function<void(std::string_view text, AnnotatedImage& image)>& take);
/// Whether one of the first 1000 text files with the stem of an image begins like that.
bool any_text_file(const SourceTree& tree, bool (*is_one)(std::string_view head));

}  // namespace yolov7::dataset
