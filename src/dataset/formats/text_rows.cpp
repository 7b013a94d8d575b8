#include "dataset/formats/text_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/error.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/splits.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;

std::vector<CsvRow> parse_csv(std::string_view text, const std::string& source) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const std::string_view first = text.substr(0, text.find('\n'));
  char separator = ',';
  for (const char c : {';', '\t'})
    if (std::count(first.begin(), first.end(), c) >
        std::count(first.begin(), first.end(), separator))
      separator = c;
  std::vector<CsvRow> rows;
  CsvRow row{1, {""}};
  bool quoted = false, blank = true;
  int line = 1;
  const auto end_row = [&] {
    if (!blank) rows.push_back(std::move(row));
    row = {line, {""}};
    blank = true;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\n') ++line;
    if (quoted) {
      if (c == '"' && i + 1 < text.size() && text[i + 1] == '"')
        row.cells.back() += text[++i];
      else if (c == '"')
        quoted = false;
      else
        row.cells.back() += c;
    } else if (c == '"' && text::trim(row.cells.back()).empty()) {
      quoted = true, blank = false, row.cells.back().clear();
    } else if (c == separator) {
      row.cells.emplace_back(), blank = false;
    } else if (c == '\n') {
      end_row();
    } else if (c != '\r') {
      row.cells.back() += c;
      blank = blank && c == ' ';
    }
  }
  if (quoted)
    throw Error(
        fmt::format("{}:{}: expected a quote that closes the cell, found the end of the file",
                    source, row.line));
  end_row();
  return rows;
}

void read_text_files(const Reading& reading, AnnotatedSet& set, bool (*is_one)(std::string_view),
                     const char* sister,
                     const std::function<void(std::string_view, AnnotatedImage&)>& take) {
  for (const fs::path& path : reading.tree.with_extension(".txt")) {
    check_stop(reading.stop);
    const std::string head = reading.tree.head(path, 4096);
    AnnotatedImage image;
    image.annotation = path;
    image.split = split_of_folders(path);
    const fs::path folder = path.parent_path();
    reading.finder.assign_by_stem(image, path.stem().string(),
                                  {folder / ".." / sister, folder, folder / "images"},
                                  reading.account.notes);
    // A text about nothing. One that has an image is read in any case: its broken rows are named.
    if (image.missing && (text::trim(head).empty() || !is_one(head))) continue;
    try {
      take(reading.tree.read(path, 1u << 30), image);
    } catch (const Error& error) {
      image.fault = error.what();
    }
    image.state = image.objects.empty() ? ImageState::empty_on_purpose : ImageState::annotated;
    set.images.push_back(std::move(image));
  }
}

bool any_text_file(const SourceTree& tree, bool (*is_one)(std::string_view)) {
  const std::set<std::string> stems = tree.image_stems();
  std::size_t looked = 0;
  for (const fs::path& file : tree.with_extension(".txt")) {
    if (!stems.contains(file.stem().string())) continue;
    if (is_one(tree.head(file, 4096))) return true;
    if (++looked == 1000) return false;
  }
  return false;
}

}  // namespace yolov7::dataset
