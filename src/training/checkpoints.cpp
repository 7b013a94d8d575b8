#include "training/checkpoints.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/error.hpp"
#include "core/log.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "training/validation.hpp"

namespace yolov7::training {
namespace {

namespace fs = std::filesystem;

network::Checkpoint description(const Setup& s) {
  network::Checkpoint checkpoint;
  checkpoint.config = s.config;
  checkpoint.config_source = s.config_source;
  checkpoint.class_count = static_cast<int>(s.train.names.size());
  checkpoint.names = s.train.names;
  checkpoint.image_size = s.val_size;
  checkpoint.dataset_identity = s.train.identity;
  return checkpoint;
}

void write_averaged(const Setup& s, const fs::path& name, const network::Weights& weights) {
  network::Checkpoint checkpoint = description(s);
  checkpoint.ema = weights;
  network::write_checkpoint(s.folder / "weights" / name, checkpoint);
}

double file_megabytes(const fs::path& path) {
  return static_cast<double>(fs::file_size(path)) / 1e6;
}

}  // namespace

void write_initial(const Setup& s) {
  if (s.group->writes()) write_averaged(s, "init.pt", s.network->store());
}

void write_last(const Setup& s) {
  if (!s.group->writes()) return;
  network::Checkpoint checkpoint = description(s);
  checkpoint.model = s.network->store();
  checkpoint.ema = s.ema->store();
  checkpoint.optimizer = s.optimizer->store();
  checkpoint.state = run::to_text(s.state);
  const fs::path weights = s.folder / "weights";
  network::write_checkpoint(weights / "last.pt", checkpoint, weights / "last.previous.pt");
}

network::Checkpoint read_last(const fs::path& run_folder) {
  const fs::path last = run_folder / "weights" / "last.pt",
                 previous = run_folder / "weights" / "last.previous.pt";
  try {
    network::Checkpoint checkpoint = network::read_checkpoint(last);
    run::run_state(checkpoint.state,
                   last.string());  // a description that cannot be read is damage as well
    return checkpoint;
  } catch (const Error& error) {
    if (!fs::exists(previous)) throw;
    log::warning(fmt::format("{}; using the one before it, {}", error.what(), previous.string()));
    network::Checkpoint checkpoint = network::read_checkpoint(previous);
    return checkpoint;
  }
}

void write_epoch_checkpoints(const Setup& s, int epoch, bool best, bool last) {
  if (!s.group->writes() || (s.state.options.nosave && !last)) return;
  write_last(s);
  const int period = s.state.options.save_period;
  const bool numbered = (period > 0 && (epoch + 1) % period == 0) || epoch == 0 ||
                        (epoch + 1) % 25 == 0 || epoch >= s.state.options.epochs - 5;
  if (!best && !numbered) return;
  const network::Weights average = s.ema->store();
  if (best) write_averaged(s, "best.pt", average);
  if (best && epoch >= 200) write_averaged(s, fmt::format("best_{:03}.pt", epoch), average);
  if (numbered) write_averaged(s, fmt::format("epoch_{:03}.pt", epoch), average);
}

void finish_run(Setup& s) {
  if (!s.group->writes()) return;
  const fs::path best = s.folder / "weights" / "best.pt";
  if (!fs::exists(best)) {
    log::warning("no best.pt: no epoch was validated");
    return;
  }
  const network::Weights full = network::read_checkpoint(best).ema;
  const network::Weights half = converted(full, network::DataType::float16);
  const FinalMetrics exact = measure(s, full, {}), rounded = measure(s, half, s.folder);
  const bool close = std::abs(exact.map50 - rounded.map50) <= 0.0005 &&
                     std::abs(exact.map - rounded.map) <= 0.0005;
  if (close) {
    write_averaged(s, "best.pt", half);
    log::info(
        fmt::format("best.pt: half precision, {:.1f} MB; COCO mAP50 {:.4f}, mAP {:.4f} (float32: "
                    "{:.4f}, {:.4f})",
                    file_megabytes(best), rounded.map50, rounded.map, exact.map50, exact.map));
  } else {
    log::warning(
        fmt::format("best.pt stays in float32, {:.1f} MB: half precision would change COCO mAP50 "
                    "{:.4f} to {:.4f}, mAP {:.4f} to {:.4f}",
                    file_megabytes(best), exact.map50, rounded.map50, exact.map, rounded.map));
    measure(s, full, s.folder);
  }
}

}  // namespace yolov7::training
