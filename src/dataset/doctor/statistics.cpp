#include "dataset/doctor/statistics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/text.hpp"

namespace yolov7::dataset::doctor {
namespace {

/// Borders of a histogram: value v is in the first row whose border is above it.
struct Bins {
  std::vector<double> borders;
  std::vector<std::string> names;  ///< one more than borders
  std::size_t of(double value) const {
    std::size_t i = 0;
    while (i < borders.size() && value >= borders[i]) ++i;
    return i;
  }
};

const Bins sizes{{4, 8, 16, 32, 64, 96, 192, 384},
                 {"below 4", "4 to 8", "8 to 16", "16 to 32", "32 to 64", "64 to 96", "96 to 192",
                  "192 to 384", "384 and more"}};
const Bins shapes{
    {0.1, 0.25, 0.5, 0.8, 1.25, 2, 4, 10},
    {"1 : 10 and higher", "1 : 10 to 1 : 4", "1 : 4 to 1 : 2", "1 : 2 to 4 : 5", "about square",
     "5 : 4 to 2 : 1", "2 : 1 to 4 : 1", "4 : 1 to 10 : 1", "10 : 1 and wider"}};
const Bins crowds{
    {1, 2, 6, 11, 21, 51, 101},
    {"none", "1", "2 to 5", "6 to 10", "11 to 20", "21 to 50", "51 to 100", "more than 100"}};
const Bins lights{{32, 64, 96, 128, 160, 192, 224},
                  {"below 32", "32 to 63", "64 to 95", "96 to 127", "128 to 159", "160 to 191",
                   "192 to 223", "224 and above"}};
const std::vector<std::string> places{"upper left", "upper middle", "upper right",
                                      "left",       "middle",       "right",
                                      "lower left", "lower middle", "lower right"};

StatTable table_of(std::string name, std::string title, std::vector<std::string> rows,
                   std::size_t columns, bool counts = true) {
  StatTable table{std::move(name), std::move(title), counts, std::move(rows), {}};
  table.values.assign(table.rows.size(), std::vector<double>(columns));
  return table;
}

double quantile(std::vector<double>& values, double share) {
  if (values.empty()) return 0;
  const auto at =
      values.begin() + static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), at, values.end());
  return *at;
}

/// Share of the boxes that overlap another of their image by an IoU of 0.5 or more.
std::size_t overlapping(const Entry& entry) {
  constexpr double half = 0.5;
  std::vector<Xyxy> boxes;
  for (const Label& label : entry.labels)
    boxes.push_back(to_pixels(label.box, entry.width, entry.height));
  std::sort(boxes.begin(), boxes.end(), [](const Xyxy& a, const Xyxy& b) { return a.x1 < b.x1; });
  std::vector<bool> hit(boxes.size());
  for (std::size_t i = 0; i < boxes.size(); ++i)
    for (std::size_t j = i + 1; j < boxes.size() && boxes[j].x1 < boxes[i].x2; ++j)
      if (iou(boxes[i], boxes[j]) >= half) hit[i] = hit[j] = true;
  return static_cast<std::size_t>(std::count(hit.begin(), hit.end(), true));
}

/// Fills one column of every table.
class Column {
 public:
  Column(Statistics& statistics, std::size_t column, int image_size)
      : statistics_(statistics),
        column_(column),
        image_size_(image_size),
        pairs_(statistics.tables.back().name == "together") {}

  void fill(const Split& split) {
    for (const Entry& entry : split.index.entries) add(entry);
    for (const Picture& picture : split.pictures)
      if (picture.usable() && picture.look.taken) add_light(picture.look);
    add_totals(split);
  }

 private:
  double& at(const char* table, std::size_t row) {
    for (StatTable& one : statistics_.tables)
      if (one.name == table) return one.values[row][column_];
    return unused_;
  }

  void add(const Entry& entry) {
    const double scale = static_cast<double>(image_size_) / std::max(entry.width, entry.height);
    std::vector<bool> seen(statistics_.tables[1].rows.size());
    ++at("crowding", crowds.of(static_cast<double>(entry.labels.size())));
    boxes_.push_back(static_cast<double>(entry.labels.size()));
    sides_.push_back(std::max(entry.width, entry.height));
    overlapping_ += overlapping(entry);
    for (const Label& label : entry.labels) {
      const double w = label.box.w * entry.width, h = label.box.h * entry.height;
      const auto c = static_cast<std::size_t>(label.class_index);
      if (c < seen.size()) ++at("classes", c), seen[c] = true;
      ++at("sizes", sizes.of(std::sqrt(w * h) * scale));
      ++at("shapes", shapes.of(w / std::max(h, 1e-9)));
      const auto third = [](double value) {
        return static_cast<std::size_t>(std::clamp(value * 3, 0.0, 2.0));
      };
      ++at("places", third(label.box.cy) * 3 + third(label.box.cx));
    }
    for (std::size_t c = 0; c < seen.size(); ++c)
      if (seen[c]) ++at("class_images", c);
    if (!pairs_) return;
    for (std::size_t a = 0, row = 0; a < seen.size(); ++a)
      for (std::size_t b = a + 1; b < seen.size(); ++b, ++row)
        if (seen[a] && seen[b]) ++at("together", row);
  }

  void add_light(const Look& look) {
    ++at("light", lights.of(look.mean));
    contrast_.push_back(look.spread);
  }

  void add_totals(const Split& split) {
    double boxes = 0;
    for (const double count : boxes_) boxes += count;
    const auto images = static_cast<double>(split.index.entries.size());
    at("totals", 0) = images;
    at("totals", 1) = boxes;
    at("totals", 2) = images > 0 ? boxes / images : 0;
    at("totals", 3) = boxes > 0 ? 100 * static_cast<double>(overlapping_) / boxes : 0;
    at("totals", 4) = quantile(sides_, 0.5);
    at("totals", 5) = quantile(contrast_, 0.5);
  }

  Statistics& statistics_;
  std::size_t column_;
  int image_size_;
  bool pairs_;  ///< whether there is a table of them
  std::vector<double> boxes_, sides_, contrast_;
  std::size_t overlapping_ = 0;
  double unused_ = 0;
};

/// In the order of the alphabet, so that a set with another order of classes has the same row.
std::vector<std::string> pairs_of(const std::vector<std::string>& names) {
  std::vector<std::string> pairs;
  for (std::size_t a = 0; a < names.size(); ++a)
    for (std::size_t b = a + 1; b < names.size(); ++b)
      pairs.push_back(std::min(names[a], names[b]) + " and " + std::max(names[a], names[b]));
  return pairs;
}

void append(StatTable& to, const StatTable& from, std::size_t before, std::size_t columns) {
  for (std::size_t r = 0; r < from.rows.size(); ++r) {
    // Two classes may have one name: then the next row of that name.
    std::size_t at = 0;
    while (at < to.rows.size() && (to.rows[at] != from.rows[r] || to.values[at].size() > before))
      ++at;
    if (at == to.rows.size()) {
      to.rows.push_back(from.rows[r]);
      to.values.emplace_back(before);
    }
    auto& row = to.values[at];
    row.insert(row.end(), from.values[r].begin(), from.values[r].end());
  }
  for (auto& row : to.values) row.resize(before + columns);
}

double sum_of(const StatTable& table, std::size_t column) {
  double sum = 0;
  for (const auto& row : table.values) sum += row[column];
  return sum;
}

}  // namespace

Statistics statistics_of(const Subject& subject, int image_size) {
  // Pairs of more classes than these make no table that anybody reads.
  constexpr std::size_t most_classes = 20;
  Statistics statistics;
  for (const Split& split : subject.splits) statistics.columns.push_back(split.name);
  const std::size_t n = statistics.columns.size();
  const std::vector<std::string>& names = subject.splits.front().index.names;
  statistics.tables = {
      table_of("totals", "Totals",
               {"images", "boxes", "boxes an image", "% of boxes that overlap another (IoU 0.5)",
                "long side of an image, px, median", "contrast (deviation of gray levels), median"},
               n, false),
      table_of("classes", "Boxes by class", names, n),
      table_of("class_images", "Images with a class", names, n, false),
      table_of(
          "sizes",
          fmt::format("Boxes by size (root of the area), px at a training size of {}", image_size),
          sizes.names, n),
      table_of("shapes", "Boxes by shape, width : height", shapes.names, n),
      table_of("places", "Boxes by the place of their centre", places, n),
      table_of("crowding", "Images by their number of boxes", crowds.names, n),
      table_of("light", "Images by their mean gray level", lights.names, n)};
  if (names.size() > 1 && names.size() <= most_classes)
    statistics.tables.push_back(
        table_of("together", "Images with two classes", pairs_of(names), n, false));
  for (std::size_t i = 0; i < n; ++i) Column(statistics, i, image_size).fill(subject.splits[i]);
  return statistics;
}

Statistics side_by_side(const Statistics& a, const std::string& a_name, const Statistics& b,
                        const std::string& b_name) {
  Statistics both;
  for (const std::string& column : a.columns) both.columns.push_back(a_name + " " + column);
  for (const std::string& column : b.columns) both.columns.push_back(b_name + " " + column);
  for (const StatTable& table : a.tables) {
    const auto other = std::find_if(b.tables.begin(), b.tables.end(),
                                    [&](const StatTable& one) { return one.name == table.name; });
    if (other == b.tables.end()) continue;
    append(both.tables.emplace_back(table), *other, a.columns.size(), b.columns.size());
  }
  return both;
}

nlohmann::json to_json(const Statistics& statistics) {
  nlohmann::json tables = nlohmann::json::object();
  for (const StatTable& table : statistics.tables) {
    nlohmann::json rows = nlohmann::json::array();
    for (std::size_t r = 0; r < table.rows.size(); ++r)
      rows.push_back({{"name", table.rows[r]}, {"values", table.values[r]}});
    tables[table.name] = {
        {"title", table.title}, {"counts", table.counts}, {"rows", std::move(rows)}};
  }
  nlohmann::json order = nlohmann::json::array();
  for (const StatTable& table : statistics.tables) order.push_back(table.name);
  return {{"columns", statistics.columns}, {"tables", std::move(tables)}, {"order", order}};
}

std::vector<std::string> lines_of(const Statistics& statistics) {
  std::vector<std::string> lines;
  for (const StatTable& table : statistics.tables) {
    std::string head = fmt::format("{:<44}", table.title.substr(0, 44));
    for (const std::string& column : statistics.columns) head += fmt::format(" {:>17}", column);
    lines.push_back(head);
    for (std::size_t r = 0; r < table.rows.size(); ++r) {
      std::string line = fmt::format("  {:<42}", table.rows[r]);
      for (std::size_t c = 0; c < statistics.columns.size(); ++c) {
        const double value = table.values[r][c], sum = sum_of(table, c);
        const std::string share =
            table.counts && sum > 0 ? fmt::format(" {:>5.1f} %", 100 * value / sum) : "";
        line += fmt::format(" {:>17}", text::general(value, 5) + share);
      }
      lines.push_back(line);
    }
    lines.emplace_back();
  }
  return lines;
}

}  // namespace yolov7::dataset::doctor
