#include "training/records.hpp"

#include <fmt/format.h>

#include <functional>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/text.hpp"

namespace yolov7::training {
namespace {

struct Column {
  const char* name;
  std::function<double(const EpochRecord&)> get;
  std::function<void(EpochRecord&, double)> set;
};

template <class Member>
Column column(const char* name, Member member) {
  return {name, [member](const EpochRecord& r) { return static_cast<double>(member(const_cast<EpochRecord&>(r))); },
          [member](EpochRecord& r, double v) {
            auto& target = member(r);
            target = static_cast<std::remove_reference_t<decltype(target)>>(v);
          }};
}

const std::vector<Column>& columns() {
  using R = EpochRecord&;
  static const std::vector<Column> list = {
      column("epoch", [](R r) -> int& { return r.epoch; }),
      column("train/box_loss", [](R r) -> double& { return r.train_loss[0]; }),
      column("train/obj_loss", [](R r) -> double& { return r.train_loss[1]; }),
      column("train/cls_loss", [](R r) -> double& { return r.train_loss[2]; }),
      column("train/total_loss", [](R r) -> double& { return r.train_loss[3]; }),
      column("validated", [](R r) -> bool& { return r.validated; }),
      column("coco/mAP_0.5", [](R r) -> double& { return r.coco_map50; }),
      column("coco/mAP_0.5:0.95", [](R r) -> double& { return r.coco_map; }),
      column("fitness", [](R r) -> double& { return r.fitness; }),
      column("official/precision", [](R r) -> double& { return r.precision; }),
      column("official/recall", [](R r) -> double& { return r.recall; }),
      column("official/mAP_0.5", [](R r) -> double& { return r.official_map50; }),
      column("official/mAP_0.5:0.95", [](R r) -> double& { return r.official_map; }),
      column("val/box_loss", [](R r) -> double& { return r.val_loss[0]; }),
      column("val/obj_loss", [](R r) -> double& { return r.val_loss[1]; }),
      column("val/cls_loss", [](R r) -> double& { return r.val_loss[2]; }),
      column("x/lr0", [](R r) -> double& { return r.rates[0]; }),
      column("x/lr1", [](R r) -> double& { return r.rates[1]; }),
      column("x/lr2", [](R r) -> double& { return r.rates[2]; }),
      column("last_batch_targets", [](R r) -> int& { return r.targets; }),
      column("last_batch_width_px", [](R r) -> int& { return r.image_size; }),
      column("train_s", [](R r) -> double& { return r.train_seconds; }),
      column("val_s", [](R r) -> double& { return r.val_seconds; }),
      column("data_wait_s", [](R r) -> double& { return r.data_wait_seconds; }),
      column("pictures_per_s", [](R r) -> double& { return r.pictures_per_second; }),
  };
  return list;
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
  for (const double v : {r.precision, r.recall, r.official_map50, r.official_map, r.val_loss[0], r.val_loss[1], r.val_loss[2]})
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
  for (const Column& c : columns()) values.push_back(fmt::format("{}", c.get(record)));  // shortest text that reads back exactly
  return text::join(values, ",");
}

std::vector<EpochRecord> parse_results_csv(const std::string& content, const std::string& source) {
  std::vector<EpochRecord> records;
  const auto rows = text::lines(content);
  if (rows.empty() || rows[0] != results_csv_header())
    throw Error(fmt::format("{}:1: expected the columns {}", source, results_csv_header()));
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const auto cells = text::split(rows[i], ',');
    if (cells.size() != columns().size())
      throw Error(fmt::format("{}:{}: expected {} columns, found {}", source, i + 1, columns().size(), cells.size()));
    EpochRecord record;
    for (std::size_t j = 0; j < cells.size(); ++j) {
      const auto value = text::parse_double(cells[j]);
      if (!value) throw Error(fmt::format("{}:{}: expected a number in column {}, found '{}'", source, i + 1, columns()[j].name, cells[j]));
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

void write_results(const std::filesystem::path& folder, const std::vector<EpochRecord>& records, int epochs) {
  std::string csv = results_csv_header() + "\n";
  for (const EpochRecord& record : records) csv += results_csv_line(record) + "\n";
  file::write_atomically(folder / "results.csv", csv);
  file::write_atomically(folder / "results.txt", txt_text(records, epochs));
}

void append_result(const std::filesystem::path& folder, const EpochRecord& record, int epochs) {
  file::append_line(folder / "results.csv", results_csv_line(record));
  file::append_line(folder / "results.txt", results_txt_line(record, epochs));
}

void write_configuration(const std::filesystem::path& folder, TrainOptions options, Hyperparameters hyp, int processes) {
  file::write_atomically(folder / "hyp.yaml", to_yaml(settings(hyp)));
  const std::string resolved = to_yaml(settings(options)) +
                               fmt::format("# resolved by the program\n# save_dir: {}\n# total_batch_size: {}\n# world_size: {}\n",
                                           text::printable(folder.string()), options.batch_size, processes);
  file::write_atomically(folder / "opt.yaml", resolved);
}

}  // namespace yolov7::training
