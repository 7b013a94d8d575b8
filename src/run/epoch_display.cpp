#include "run/epoch_display.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/log.hpp"
#include "core/memory.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"

namespace yolov7::run {
namespace {

constexpr const char* row_format =
    "{:>9} {:>9} {:>9} {:>9} {:>9} {:>9} {:>8} {:>5} {:>11} {:>7} {:>7} {:>10} {:>10} {:>9}";

std::string loss_text(double loss) { return text::general(loss, 4); }

}  // namespace

double waiting_share(const EpochRecord& r) {
  return r.data_wait_seconds / std::max(r.train_seconds, 1e-9);
}

std::string epoch_table_header() {
  return fmt::format(row_format, "epoch", "memory", "box", "obj", "cls", "total", "objects", "px",
                     "batch", "mAP50", "mAP", "images/s", "limited by", "left");
}

std::string epoch_table_row(const EpochRow& row) {
  const EpochRecord& r = row.record;
  const double waiting = waiting_share(r);
  const auto metric = [&](double value) {
    return r.validated ? fmt::format("{:.4f}", value) : std::string("-");
  };
  return fmt::format(
      row_format, fmt::format("{}/{}", row.epoch, row.epochs - 1), memory_text(resident_bytes()),
      loss_text(r.train_loss[0]), loss_text(r.train_loss[1]), loss_text(r.train_loss[2]),
      loss_text(r.train_loss[3]), r.targets, r.image_size,
      fmt::format("{}/{}", row.batches_done, row.batches), metric(r.coco_map50), metric(r.coco_map),
      fmt::format("{:.1f}", r.pictures_per_second),
      waiting > noticeable_waiting ? fmt::format("data {:.0f} %", 100 * waiting) : "compute",
      clock_text(row.seconds_left));
}

std::string epoch_sentence(const EpochRow& row) {
  const EpochRecord& r = row.record;
  const double waiting = waiting_share(r);
  const std::string limit =
      waiting > noticeable_waiting
          ? fmt::format("limited by data, waiting {:.0f} % of the time ({}, {})", 100 * waiting,
                        setting_name("workers"), setting_name("cache-budget"))
          : fmt::format("limited by compute, waiting {:.0f} % of the time for data", 100 * waiting);
  return fmt::format(
      "epoch {}/{}: box {:.4g} obj {:.4g} cls {:.4g} | {}| {:.1f} images/s, {}{}", row.epoch,
      row.epochs - 1, r.train_loss[0], r.train_loss[1], r.train_loss[2],
      r.validated ? fmt::format("COCO mAP50 {:.4f} mAP {:.4f}, official mAP50 {:.4f} mAP {:.4f} ",
                                r.coco_map50, r.coco_map, r.official_map50, r.official_map)
                  : "",
      r.pictures_per_second, limit,
      row.seconds_left > 0 ? fmt::format("; {} left", clock_text(row.seconds_left)) : "");
}

EpochDisplay::EpochDisplay() : table_(log::shows_live()) {}

void EpochDisplay::begin(int epoch, int epochs, std::size_t first, std::size_t batches) {
  row_ = {epoch, epochs, first, batches, {}, 0};
  first_ = first;
  start_ = shown_ = std::chrono::steady_clock::now();
  if (!table_)
    progress_ = std::make_unique<Progress>(fmt::format("epoch {}/{}", epoch, epochs - 1),
                                           batches - first, "batches");
  else if (!std::exchange(header_, true))
    log::info(epoch_table_header());
}

void EpochDisplay::batch(const EpochRecord& so_far, std::size_t done, double pictures_per_second) {
  if (progress_) {
    const auto& loss = so_far.train_loss;
    progress_->advance(1, fmt::format("box {:.4g} obj {:.4g} cls {:.4g} total {:.4g}", loss[0],
                                      loss[1], loss[2], loss[3]));
  }
  constexpr std::chrono::milliseconds between(100);
  if (!table_ || std::chrono::steady_clock::now() - shown_ < between) return;
  shown_ = std::chrono::steady_clock::now();
  row_.record = so_far;
  row_.record.train_seconds = seconds();
  row_.record.pictures_per_second = pictures_per_second;
  row_.record.validated = false;
  row_.batches_done = done;
  const double whole =
      seconds() / static_cast<double>(done - first_) * static_cast<double>(row_.batches);
  row_.seconds_left =
      seconds() / static_cast<double>(done - first_) * static_cast<double>(row_.batches - done) +
      validation_seconds_ + (row_.epochs - 1 - row_.epoch) * (whole + validation_seconds_);
  log::live(epoch_table_row(row_));
}

void EpochDisplay::end(const EpochRecord& record, bool over) {
  progress_.reset();
  row_.record = record;
  row_.batches_done = row_.batches;
  validation_seconds_ = record.val_seconds;
  row_.seconds_left =
      over ? 0 : (row_.epochs - 1 - row_.epoch) * (record.train_seconds + record.val_seconds);
  if (!table_) return log::info(epoch_sentence(row_));
  log::end_live();
  log::info(epoch_table_row(row_));
}

}  // namespace yolov7::run
