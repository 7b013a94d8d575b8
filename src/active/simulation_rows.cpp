#include "active/simulation_rows.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string_view>
#include <tuple>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/text.hpp"

namespace yolov7::active {
namespace {

constexpr std::string_view header = "seed,strategy,round,images,boxes,empty,cost,ended,map50,map";

std::size_t whole_number(std::string_view text, const std::string& where) {
  const auto value = text::parse_int(text);
  if (!value || *value < 0)
    throw Error(
        fmt::format("{}: expected a whole number, found '{}'", where, text::printable(text)));
  return static_cast<std::size_t>(*value);
}

double number(std::string_view text, const std::string& where) {
  const auto value = text::parse_double(text);
  if (!value || !std::isfinite(*value))
    throw Error(fmt::format("{}: expected a number, found '{}'", where, text::printable(text)));
  return *value;
}

SimulationRow parse_row(std::string_view line, const std::string& where) {
  constexpr std::size_t columns = 10;
  const auto cells = text::split(line, ',');
  if (cells.size() != columns)
    throw Error(fmt::format("{}: expected {} columns, found {}", where, columns, cells.size()));
  SimulationRow row;
  row.seed = static_cast<int>(whole_number(cells[0], where));
  row.strategy = cells[1];
  row.round = static_cast<int>(whole_number(cells[2], where));
  row.images = whole_number(cells[3], where);
  row.boxes = whole_number(cells[4], where);
  row.empty = whole_number(cells[5], where);
  row.cost = number(cells[6], where);
  row.ended = whole_number(cells[7], where) != 0;
  row.map50 = number(cells[8], where);
  row.map = number(cells[9], where);
  return row;
}

}  // namespace

std::string to_csv(const SimulationRow& row) {
  return fmt::format("{},{},{},{},{},{},{},{},{},{}", row.seed, row.strategy, row.round, row.images,
                     row.boxes, row.empty, row.cost, row.ended ? 1 : 0, row.map50, row.map);
}

std::vector<SimulationRow> read_rows(const std::filesystem::path& file) {
  std::vector<SimulationRow> rows;
  if (!std::filesystem::exists(file)) return rows;
  std::string content = file::read(file);
  if (!content.empty() && content.back() != '\n') {
    content.erase(content.find_last_of('\n') + 1);  // npos + 1 is 0: the header itself was cut
    file::write_atomically(file, content);
  }
  const auto lines = text::lines(content);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string where = fmt::format("{}:{}", file.string(), i + 1);
    if (i == 0 && lines[i] != header)
      throw Error(fmt::format("{}: expected the header '{}', found '{}'", where, header,
                              text::printable(lines[i])));
    if (i == 0 || lines[i].empty()) continue;
    rows.push_back(parse_row(lines[i], where));
    const SimulationRow& row = rows.back();
    if (find_row(rows, row.seed, row.strategy, row.round) != &row)
      throw Error(fmt::format("{}: seed {}, {}, round {} stands in the table twice", where,
                              row.seed, text::printable(row.strategy), row.round));
  }
  return rows;
}

void append_row(const std::filesystem::path& file, const SimulationRow& row) {
  const bool fresh = !std::filesystem::exists(file) || std::filesystem::file_size(file) == 0;
  file::append_line(file, (fresh ? std::string(header) + "\n" : std::string()) + to_csv(row));
}

void write_rows(const std::filesystem::path& file, const std::vector<SimulationRow>& rows) {
  std::string content = std::string(header) + "\n";
  for (const SimulationRow& row : rows) content += to_csv(row) + "\n";
  file::write_atomically(file, content);
}

bool stands_before(const SimulationRow& a, const SimulationRow& b) {
  const auto place = [](const SimulationRow& row) {
    const int group = row.strategy == "start" ? 0 : row.strategy == "full" ? 1 : 2;
    return std::tuple(row.seed, group, std::string_view(row.strategy), row.round);
  };
  return place(a) < place(b);
}

const SimulationRow* find_row(const std::vector<SimulationRow>& rows, int seed,
                              const std::string& strategy, int round) {
  for (const SimulationRow& row : rows)
    if (row.seed == seed && row.round == round && row.strategy == strategy) return &row;
  return nullptr;
}

}  // namespace yolov7::active
