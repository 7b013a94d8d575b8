#include "cli/verbs/checkpoint_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "core/json.hpp"
#include "core/text.hpp"
#include "network/graph/variants.hpp"

namespace yolov7::cli {
namespace {

using network::CheckpointFacts;
using network::DataType;

std::string format_name(CheckpointFacts::Format format) {
  switch (format) {
    case CheckpointFacts::Format::own: return "yolov7.cpp checkpoint";
    case CheckpointFacts::Format::model: return "official checkpoint (pickled model)";
    case CheckpointFacts::Format::tensors: return "tensors under names";
  }
  return "";
}

std::string type_name(DataType type) {
  switch (type) {
    case DataType::float16: return "float16";
    case DataType::bfloat16: return "bfloat16";
    case DataType::float32: return "float32";
    case DataType::float64: return "float64";
    case DataType::int64: return "int64";
    case DataType::uint8: return "uint8";
  }
  return "";
}

/// Floating types of the weights, the most frequent first.
std::string precision(const network::Weights& weights) {
  std::map<DataType, std::size_t> counts;
  for (const auto& entry : weights.entries())
    if (entry.second.type != DataType::int64 && entry.second.type != DataType::uint8)
      ++counts[entry.second.type];
  std::vector<std::pair<std::size_t, DataType>> order;
  for (const auto& [type, count] : counts) order.emplace_back(count, type);
  std::sort(order.rbegin(), order.rend());
  std::vector<std::string> names;
  for (const auto& entry : order) names.push_back(type_name(entry.second));
  return text::join(names, ", ");
}

/// "yolov7, deploy graph" for the published networks, else "".
std::string variant_name(const network::Network& network) {
  const auto layers = static_cast<int>(network.layers.size());
  const network::Variant* variant = network::find_variant(layers);
  if (variant == nullptr) return {};
  const bool deploy = variant->training_layers == variant->deploy_layers
                          ? network.head == network::HeadKind::detect
                          : layers == variant->deploy_layers;
  return fmt::format("{}, {} graph", variant->name, deploy ? "deploy" : "training");
}

/// The epoch that the training goes on with, or null: training owns that text, and files without
/// state have none.
nlohmann::json next_epoch(const network::Checkpoint& checkpoint, const std::string& path) {
  if (checkpoint.state.empty()) return nullptr;
  const nlohmann::json state = parse_json(checkpoint.state, path + ": state");
  return state.is_object() ? state.value("epoch", nlohmann::json()) : nlohmann::json();
}

/// Of the file, where the checkpoint itself has no date: "2024-05-01 12:00 UTC (file)".
std::string file_date(const std::string& path) {
  std::error_code error;
  const auto written = std::filesystem::last_write_time(path, error);
  if (error) return {};
  const std::time_t seconds =
      std::chrono::system_clock::to_time_t(std::chrono::file_clock::to_sys(written));
  std::tm parts{};
  char out[32];
  if (gmtime_r(&seconds, &parts) == nullptr ||
      std::strftime(out, sizeof out, "%Y-%m-%d %H:%M UTC", &parts) == 0)
    return {};
  return std::string(out) + " (of the file)";
}

bool is_folded(const network::Network& network) {
  for (const network::Operation& op : network.operations)
    if (op.is<network::BatchNorm>()) return false;
  return true;
}

}  // namespace

nlohmann::json checkpoint_facts(const std::string& path, const network::Checkpoint& checkpoint,
                                const network::Network& network) {
  const CheckpointFacts& f = checkpoint.facts;
  nlohmann::json epoch = next_epoch(checkpoint, path), finished, fitness;
  if (f.epoch) finished = *f.epoch;
  if (f.best_fitness) fitness = *f.best_fitness;
  return {{"path", path},
          {"format", format_name(f.format)},
          {"container", f.container},
          {"variant", variant_name(network)},
          {"precision", precision(checkpoint.inference_weights())},
          {"folded", is_folded(network)},
          {"date", f.date.empty() ? file_date(path) : f.date},
          {"epoch", epoch},
          {"last_epoch", finished},
          {"best_fitness", fitness},
          {"dataset_identity", checkpoint.dataset_identity},
          {"tensors",
           {{"model", checkpoint.model.size()},
            {"ema", checkpoint.ema.size()},
            {"optimizer", f.optimizer_tensors}}},
          {"notes", f.notes}};
}

void print_checkpoint_facts(const nlohmann::json& facts, int image_size, const Output& output) {
  const nlohmann::json& tensors = facts.at("tensors");
  const std::string variant = facts.at("variant"),
                    folded = facts.at("folded").get<bool>() ? ", folded" : "";
  output.line(fmt::format(
      "checkpoint: {}, {} container, {}{}{}", facts.at("format").get<std::string>(),
      facts.at("container").get<std::string>(), facts.at("precision").get<std::string>(), folded,
      variant.empty() ? std::string() : "; " + variant));
  std::string history;
  if (facts.at("epoch").is_number_integer())
    history += fmt::format("goes on with epoch {}, ", facts.at("epoch").get<std::int64_t>());
  if (facts.at("last_epoch").is_number_integer())
    history += fmt::format("written after epoch {}, ", facts.at("last_epoch").get<std::int64_t>());
  if (facts.at("best_fitness").is_number())
    history += fmt::format("best fitness {:.4f}, ", facts.at("best_fitness").get<double>());
  const bool official = facts.at("format").get<std::string>().rfind("official", 0) == 0;
  output.line(
      fmt::format("            {}{} tensors of weights, {} averaged, {} of the optimizer; {}",
                  history, tensors.at("model").get<std::size_t>(),
                  tensors.at("ema").get<std::size_t>(), tensors.at("optimizer").get<std::size_t>(),
                  official ? "the size of its training images is not recorded"
                           : fmt::format("trained at {} px", image_size)));
  output.line("            date: " + facts.at("date").get<std::string>());
  for (const auto& note : facts.at("notes"))
    output.line("            note: " + note.get<std::string>());
}

}  // namespace yolov7::cli
