#include "run/records.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "run/csv_columns.hpp"

namespace yolov7::run {
namespace {

using Column = CsvColumn<EpochRecord>;

const std::vector<Column>& columns() {
  using R = EpochRecord&;
  static const std::vector<Column> list = {
      csv_column<EpochRecord>("epoch", [](R r) -> int& { return r.epoch; }),
      csv_column<EpochRecord>("train/box_loss", [](R r) -> double& { return r.train_loss[0]; }),
      csv_column<EpochRecord>("train/obj_loss", [](R r) -> double& { return r.train_loss[1]; }),
      csv_column<EpochRecord>("train/cls_loss", [](R r) -> double& { return r.train_loss[2]; }),
      csv_column<EpochRecord>("train/total_loss", [](R r) -> double& { return r.train_loss[3]; }),
      csv_column<EpochRecord>("validated", [](R r) -> bool& { return r.validated; }),
      csv_column<EpochRecord>("coco/mAP_0.5", [](R r) -> double& { return r.coco_map50; }),
      csv_column<EpochRecord>("coco/mAP_0.5:0.95", [](R r) -> double& { return r.coco_map; }),
      csv_column<EpochRecord>("fitness", [](R r) -> double& { return r.fitness; }),
      csv_column<EpochRecord>("official/precision", [](R r) -> double& { return r.precision; }),
      csv_column<EpochRecord>("official/recall", [](R r) -> double& { return r.recall; }),
      csv_column<EpochRecord>("official/mAP_0.5", [](R r) -> double& { return r.official_map50; }),
      csv_column<EpochRecord>("official/mAP_0.5:0.95",
                              [](R r) -> double& { return r.official_map; }),
      csv_column<EpochRecord>("val/box_loss", [](R r) -> double& { return r.val_loss[0]; }),
      csv_column<EpochRecord>("val/obj_loss", [](R r) -> double& { return r.val_loss[1]; }),
      csv_column<EpochRecord>("val/cls_loss", [](R r) -> double& { return r.val_loss[2]; }),
      csv_column<EpochRecord>("x/lr0", [](R r) -> double& { return r.rates[0]; }),
      csv_column<EpochRecord>("x/lr1", [](R r) -> double& { return r.rates[1]; }),
      csv_column<EpochRecord>("x/lr2", [](R r) -> double& { return r.rates[2]; }),
      csv_column<EpochRecord>("last_batch_targets", [](R r) -> int& { return r.targets; }),
      csv_column<EpochRecord>("last_batch_width_px", [](R r) -> int& { return r.image_size; }),
      csv_column<EpochRecord>("train_s", [](R r) -> double& { return r.train_seconds; }),
      csv_column<EpochRecord>("val_s", [](R r) -> double& { return r.val_seconds; }),
      csv_column<EpochRecord>("data_wait_s", [](R r) -> double& { return r.data_wait_seconds; }),
      csv_column<EpochRecord>("pictures_per_s",
                              [](R r) -> double& { return r.pictures_per_second; }),
      // Columns of later versions: older files end before them.
      csv_column<EpochRecord>("train/distill_loss", [](R r) -> double& { return r.distill_loss; }),
  };
  return list;
}

/// How many columns a header of this or an earlier version has; 0: it is none.
std::size_t known_columns(std::string_view header) {
  if (header == results_csv_header()) return columns().size();
  const std::string later = std::string(",") + columns().back().name;
  return std::string(header) + later == results_csv_header() ? columns().size() - 1 : 0;
}

std::string txt_text(const std::vector<EpochRecord>& records, int epochs) {
  std::string out;
  for (const EpochRecord& record : records) out += results_txt_line(record, epochs) + "\n";
  return out;
}

}  // namespace

std::string results_txt_line(const EpochRecord& r, int epochs) {
  std::string line = fmt::format("{:>10}{:>10}", fmt::format("{}/{}", r.epoch, epochs - 1), "0G");
  for (const double loss : r.train_loss) line += fmt::format("{:>10}", text::general(loss, 4));
  line += fmt::format("{:>10}{:>10}", r.targets, r.image_size);
  for (const double v : {r.precision, r.recall, r.official_map50, r.official_map, r.val_loss[0],
                         r.val_loss[1], r.val_loss[2]})
    line += fmt::format("{:>10}", text::general(v, 4));
  return line;
}

std::string results_csv_header() {
  std::vector<std::string> names;
  for (const Column& c : columns()) names.emplace_back(c.name);
  return text::join(names, ",");
}

std::string results_csv_line(const EpochRecord& record) {
  std::vector<std::string> values;
  for (const Column& c : columns())
    values.push_back(fmt::format("{}", c.get(record)));  // shortest text that reads back exactly
  return text::join(values, ",");
}

std::vector<EpochRecord> parse_results_csv(const std::string& content, const std::string& source) {
  std::vector<EpochRecord> records;
  const auto rows = text::lines(content);
  const std::size_t count = rows.empty() ? 0 : known_columns(rows[0]);
  if (count == 0)
    throw Error(fmt::format("{}:1: expected the columns {}", source, results_csv_header()));
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const auto cells = text::split(rows[i], ',');
    if (cells.size() != count)
      throw Error(
          fmt::format("{}:{}: expected {} columns, found {}", source, i + 1, count, cells.size()));
    EpochRecord record;
    for (std::size_t j = 0; j < cells.size(); ++j) {
      const auto value = text::parse_double(cells[j]);
      if (!value)
        throw Error(fmt::format("{}:{}: expected a number in column {}, found '{}'", source, i + 1,
                                columns()[j].name, cells[j]));
      columns()[j].set(record, *value);
    }
    records.push_back(record);
  }
  return records;
}

std::vector<NamedColumn> result_columns(const std::vector<EpochRecord>& records) {
  std::vector<NamedColumn> all;
  for (const Column& c : columns()) {
    all.push_back({c.name, {}});
    for (const EpochRecord& record : records) all.back().values.push_back(c.get(record));
  }
  return all;
}

void write_results(const std::filesystem::path& folder, const std::vector<EpochRecord>& records,
                   int epochs) {
  std::string csv = results_csv_header() + "\n";
  for (const EpochRecord& record : records) csv += results_csv_line(record) + "\n";
  file::write_atomically(folder / "results.csv", csv);
  file::write_atomically(folder / "results.txt", txt_text(records, epochs));
}

void append_result(const std::filesystem::path& folder, const EpochRecord& record, int epochs) {
  file::append_line(folder / "results.csv", results_csv_line(record));
  file::append_line(folder / "results.txt", results_txt_line(record, epochs));
}

void write_configuration(const std::filesystem::path& folder, TrainOptions options,
                         Hyperparameters hyp, int processes) {
  file::write_atomically(folder / "hyp.yaml", to_yaml(settings(hyp)));
  const std::string resolved =
      to_yaml(settings(options)) +
      fmt::format(
          "# resolved by the program\n# save_dir: {}\n# total_batch_size: {}\n# world_size: {}\n",
          text::printable(folder.string()), options.batch_size, processes);
  file::write_atomically(folder / "opt.yaml", resolved);
}

}  // namespace yolov7::run
