#include "training/run_watch.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <map>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "core/settings.hpp"
#include "core/text.hpp"
#include "image/codec/codec.hpp"
#include "monitoring/label_plot.hpp"
#include "monitoring/report.hpp"
#include "monitoring/results_plot.hpp"

namespace yolov7::training {
namespace {

namespace fs = std::filesystem;

/// Every option that has an effect, and every hyper-parameter as hyp/name.
template <class Visit>
void each_setting(const run::RunState& state, Visit visit) {
  run::TrainOptions options = state.options;
  run::Hyperparameters hyp = state.hyp;
  const auto walk = [&](const std::string& prefix, const Settings& table) {
    for (const Setting& one : table.entries)
      if (one.refusal.empty() && one.notice.empty()) visit(prefix + one.name, one);
  };
  walk("", settings(options));
  walk("hyp/", settings(hyp));
}

std::map<std::string, monitoring::Hyperparameter> hyperparameters(const run::RunState& state) {
  std::map<std::string, monitoring::Hyperparameter> values;
  each_setting(state, [&](const std::string& name, const Setting& one) {
    if (const auto* flag = std::get_if<bool*>(&one.target))
      values[name] = **flag;
    else if (const auto* number = std::get_if<double*>(&one.target))
      values[name] = **number;
    else if (const auto* count = std::get_if<int*>(&one.target))
      values[name] = static_cast<double>(**count);
    else
      values[name] = one.text();
  });
  return values;
}

/// A column that an epoch without a validation repeats from the one before it.
bool is_of_validation(const std::string& column) {
  return column.starts_with("val/") || column.starts_with("coco/") ||
         column.starts_with("official/") || column == "fitness";
}

/// One node a layer, the picture before them; a chain of repeats is one.
std::vector<monitoring::GraphNode> layer_graph(const network::Network& network, int side) {
  const auto name = [&](int index) {
    return index < 0 ? std::string("picture")
                     : fmt::format("{}/layer_{}_{}",
                                   index < network.backbone_layers ? "backbone" : "neck_and_head",
                                   index, network.layers[static_cast<std::size_t>(index)].block);
  };
  std::vector<monitoring::GraphNode> nodes{{"picture", "Placeholder", {}, {-1, 3, side, side}}};
  for (const network::Layer& layer : network.layers) {
    monitoring::GraphNode node{name(layer.index), layer.block, {}, {}};
    for (const int input : layer.inputs) node.inputs.push_back(name(input));
    if (layer.out_channels > 0) {  // a head has neither channels nor a reduction
      const auto out = static_cast<std::int64_t>(side / layer.reduction);
      node.output_shape = {-1, layer.out_channels, out, out};
    }
    nodes.push_back(std::move(node));
  }
  return nodes;
}

}  // namespace

/// Whatever goes wrong ends the watching, not the training.
template <class Action>
void RunWatch::guarded(Action action) {
  if (!active_) return;
  try {
    action();
  } catch (const std::exception& error) {
    active_ = false;
    log::warning(
        fmt::format("the run is no longer shown (TensorBoard, MLflow, results.png, report.html): "
                    "{}; the training goes on",
                    error.what()));
  }
}

RunWatch::RunWatch(const RunContext& context, const Data& data, const network::Network& network,
                   const run::RunState& state)
    : folder_(context.folder), active_(context.writes()) {
  guarded([&] {
    events_ = std::make_unique<monitoring::TensorBoardWriter>(folder_, state.epoch);
    events_->hyperparameters(hyperparameters(state),
                             {"coco/mAP_0.5", "coco/mAP_0.5:0.95", "fitness"});
    if (state.epoch == 0) events_->graph(layer_graph(network, data.train_size));
    if (state.epoch == 0) plot_training_labels(data.train);
    begin_mlflow(state);
    log::info(fmt::format("to watch: tensorboard --logdir {}", text::printable(folder_.string())));
  });
}

void RunWatch::begin_mlflow(const run::RunState& state) {
  const run::TrainOptions& o = state.options;
  if (o.mlflow.empty()) return;
  std::map<std::string, std::string> parameters;
  each_setting(state,
               [&](const std::string& name, const Setting& one) { parameters[name] = one.text(); });
  mlflow_ = std::make_unique<monitoring::MlflowRun>(
      folder_,
      monitoring::MlflowOptions{monitoring::mlflow_address(o.mlflow), o.mlflow_experiment,
                                o.mlflow_model},
      parameters);
  log::info(fmt::format("MLflow: {}, experiment {}", monitoring::mlflow_address(o.mlflow),
                        text::printable(o.mlflow_experiment)));
}

void RunWatch::interrupted() {
  guarded([&] {
    if (!mlflow_) return;
    mlflow_->end_status("KILLED");
    mlflow_->finish();
  });
}

void RunWatch::finish_mlflow() {
  if (!mlflow_) return;
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const std::string name = entry.path().filename().string(),
                      kind = entry.path().extension().string();
    if (entry.is_regular_file() &&
        text::contains({".csv", ".html", ".jpg", ".json", ".png", ".svg", ".txt", ".yaml"}, kind))
      mlflow_->artifact(name, name);
  }
  mlflow_->model();
  mlflow_->end_status("FINISHED");
  mlflow_->finish();
}

/// labels.png and labels_correlogram.png of the training pictures.
void RunWatch::plot_training_labels(const dataset::Index& train) {
  std::vector<monitoring::LabelFact> labels;
  for (const dataset::Entry& entry : train.entries)
    for (const dataset::Label& label : entry.labels)
      labels.push_back({label.class_index, label.box.cx, label.box.cy, label.box.w, label.box.h});
  write_picture(folder_ / "labels.png", monitoring::plot_labels(labels, train.names));
  write_picture(folder_ / "labels_correlogram.png", monitoring::plot_label_correlogram(labels));
  for (const char* name : {"labels.png", "labels_correlogram.png"}) picture(0, folder_ / name);
}

void RunWatch::picture(std::int64_t step, const fs::path& file) {
  guarded([&] {
    const std::string bytes = file::read(file);
    const PictureHeader header = read_picture_header(bytes, file.string());
    events_->picture(step, file.stem().string(), bytes, header.width, header.height);
  });
}

void RunWatch::epoch(const std::vector<run::EpochRecord>& records) {
  guarded([&] {
    std::vector<std::pair<std::string, double>> scalars;
    for (const run::NamedColumn& column : run::result_columns({records.back()}))
      if (column.name != "epoch" && (records.back().validated || !is_of_validation(column.name)))
        scalars.emplace_back(column.name, column.values.front());
    events_->scalars(records.back().epoch, scalars);
    if (mlflow_) mlflow_->metrics(records.back().epoch, scalars);
    constexpr std::chrono::seconds between_plots(30);
    if (std::chrono::steady_clock::now() - last_plot_ >= between_plots) plot(records);
  });
}

void RunWatch::plot(const std::vector<run::EpochRecord>& records) {
  std::vector<double> epochs;
  for (const run::EpochRecord& record : records) epochs.push_back(record.epoch);
  std::vector<monitoring::ResultColumn> columns;
  for (run::NamedColumn& column : run::result_columns(records)) {
    const bool measured = is_of_validation(column.name);
    for (std::size_t i = 0; measured && i < records.size(); ++i)
      if (!records[i].validated) column.values[i] = std::numeric_limits<double>::quiet_NaN();
    columns.push_back({column.name, std::move(column.values)});
  }
  write_picture(folder_ / "results.png", monitoring::plot_results(epochs, columns));
  last_plot_ = std::chrono::steady_clock::now();
}

void RunWatch::finished(const std::vector<run::EpochRecord>& records) {
  if (records.empty()) return;
  guarded([&] {
    plot(records);
    for (const char* name : {"results.png", "PR_curve.png", "F1_curve.png", "P_curve.png",
                             "R_curve.png", "confusion_matrix.png"})
      if (fs::exists(folder_ / name)) picture(records.back().epoch, folder_ / name);
    file::write_atomically(folder_ / "report.html", monitoring::run_report(folder_));
    events_->finished();
    finish_mlflow();
  });
}

}  // namespace yolov7::training
