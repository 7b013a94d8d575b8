#pragma once
// What every report page is made of: nothing outside the page is needed to read it.
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace yolov7::monitoring {

/// RFC 4648, with padding.
std::string base64(std::string_view bytes);

struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
  std::size_t names = 1;  ///< so many columns hold names, of classes for instance

  std::optional<std::size_t> column(std::string_view name) const;
};

/// Cells are escaped; numbers with more digits are shown with four, names as they are.
std::string html_table(const Table& table);
/// The picture itself in the page.
std::string figure_of(std::string_view bytes, const char* type, const std::string& words);
/// The same from a file, PNG or JPEG; nothing where there is none.
std::string figure(const std::filesystem::path& file, const std::string& words);
/// Nothing where the content is empty.
std::string section(const std::string& title, const std::string& content);
/// Up to and with the first heading. The policy: nothing is loaded from anywhere, no script runs,
/// whatever a class is called; with `script` the one that stands in the page does.
std::string page_head(const std::string& title, const char* kind, bool script = false);

}  // namespace yolov7::monitoring
