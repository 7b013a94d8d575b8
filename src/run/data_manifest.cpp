#include "run/data_manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/text.hpp"

namespace yolov7::run {
namespace fs = std::filesystem;
namespace {

constexpr const char* file_name = "train_data.txt";

struct Line {
  std::string hash, name;
  bool operator==(const Line&) const = default;
};

std::string one_line(std::string name) {
  std::replace(name.begin(), name.end(), '\n', ' ');
  return name;
}

/// Classes under the hash "class", then pictures. A moved data set is the same one, so paths are
/// for people only.
std::vector<Line> lines_of(const dataset::Index& train) {
  std::vector<Line> lines;
  for (const std::string& name : train.names) lines.push_back({"class", one_line(name)});
  for (const dataset::Entry& entry : train.entries)
    lines.push_back({dataset::identity(entry), one_line(entry.picture.string())});
  return lines;
}

std::vector<Line> read_lines(const fs::path& path) {
  std::vector<Line> lines;
  const std::string content = file::read(path);
  for (const std::string_view one : text::split(content, '\n')) {
    const auto space = one.find(' ');
    if (space != std::string_view::npos)
      lines.push_back({std::string(one.substr(0, space)), std::string(one.substr(space + 1))});
  }
  return lines;
}

bool same(const Line& a, const Line& b) {
  return a.hash == b.hash && (a.hash != "class" || a.name == b.name);
}

}  // namespace

void write_manifest(const fs::path& run_folder, const dataset::Index& train) {
  std::string content;
  for (const Line& line : lines_of(train)) content += line.hash + ' ' + line.name + '\n';
  file::write_atomically(run_folder / file_name, content);
}

std::string first_difference(const fs::path& run_folder, const dataset::Index& train) {
  if (!fs::exists(run_folder / file_name))
    return "its files are not those of the first start (which one differs is not known: no "
           "train_data.txt)";
  const std::vector<Line> before = read_lines(run_folder / file_name), now = lines_of(train);
  const auto shown = [](const Line& line) {
    return line.hash == "class" ? fmt::format("class '{}'", text::printable(line.name))
                                : text::printable(line.name);
  };
  for (std::size_t i = 0; i < std::max(before.size(), now.size()); ++i) {
    if (i >= before.size()) return fmt::format("{} is new", shown(now[i]));
    if (i >= now.size()) return fmt::format("{} is gone", shown(before[i]));
    if (same(before[i], now[i])) continue;
    // Gone or new rather than changed, if the other side goes on in step.
    if (i + 1 < before.size() && same(before[i + 1], now[i]))
      return fmt::format("{} is gone", shown(before[i]));
    if (i + 1 < now.size() && same(before[i], now[i + 1]))
      return fmt::format("{} is new", shown(now[i]));
    return fmt::format("{} or its labels differ from {}", shown(now[i]),
                       before[i].name == now[i].name ? "what they were" : shown(before[i]));
  }
  return {};
}

}  // namespace yolov7::run
