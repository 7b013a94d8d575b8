#include "run/transfer_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/error.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"

namespace yolov7::run {
namespace {

int number(std::string_view text, const char* what) {
  const auto value = text::parse_int(text);
  if (!value || *value < 0 || *value > std::numeric_limits<int>::max())
    throw usage_error(fmt::format("{}: expected {}, found '{}'", setting_name("unfreeze-at"), what,
                                  text::printable(std::string(text))));
  return static_cast<int>(*value);
}

/// Each once, rising. Error (usage): one that the network does not have.
std::vector<int> known_layers(std::vector<int> layers, int count) {
  std::sort(layers.begin(), layers.end());
  layers.erase(std::unique(layers.begin(), layers.end()), layers.end());
  if (!layers.empty() && layers.back() >= count)
    throw usage_error(fmt::format("{}: expected layers within 0..{}, found {}",
                                  setting_name("freeze"), count - 1, layers.back()));
  return layers;
}

std::vector<int> layers_from(int first, int last) {
  std::vector<int> layers(static_cast<std::size_t>(last - first + 1));
  std::iota(layers.begin(), layers.end(), first);
  return layers;
}

}  // namespace

TransferPlan::TransferPlan(const TrainOptions& o, const network::Network& network)
    : layers_(static_cast<int>(network.layers.size())) {
  const int backbone = std::min(network.backbone_layers, layers_ - 1);
  if (backbone > 0) parts_.push_back({"backbone", 0, backbone - 1});
  if (backbone < layers_ - 1) parts_.push_back({"neck", backbone, layers_ - 2});
  parts_.push_back({"head", layers_ - 1, layers_ - 1});

  const bool given = o.freeze.size() != 1 || o.freeze[0] != 0;
  if (o.freeze.size() == 1)
    first_ =
        o.freeze[0] > 0 ? layers_from(0, std::min(o.freeze[0], layers_) - 1) : std::vector<int>();
  else
    first_ = known_layers(o.freeze, layers_);
  if (!o.unfreeze_at.empty() && !given) first_ = layers_from(0, layers_ - 2);
  if (!o.unfreeze_at.empty())
    for (const std::string_view one : text::split(o.unfreeze_at, ',')) {
      const auto colon = one.find(':');
      if (colon == std::string_view::npos)
        throw usage_error(fmt::format("{}: expected epoch:part, found '{}'",
                                      setting_name("unfreeze-at"),
                                      text::printable(std::string(one))));
      const Part wanted = part(std::string(one.substr(colon + 1)));
      Stage stage{number(one.substr(0, colon), "an epoch"), layers_from(wanted.first, wanted.last)};
      if (!stages_.empty() && stage.epoch <= stages_.back().epoch)
        throw usage_error(fmt::format("{}: expected rising epochs, found {} after {}",
                                      setting_name("unfreeze-at"), stage.epoch,
                                      stages_.back().epoch));
      stages_.push_back(std::move(stage));
    }
  require_training(o, network);
  if (o.lr_backbone == 1 && o.lr_neck == 1) return;
  rates_.assign(static_cast<std::size_t>(layers_), 1);
  for (const Part& one : parts_)
    for (int layer = one.first; layer <= one.last; ++layer)
      rates_[static_cast<std::size_t>(layer)] = one.name == "backbone" ? o.lr_backbone
                                                : one.name == "neck"   ? o.lr_neck
                                                                       : 1;
}

/// Error (usage): epochs in which no layer with weights trains.
void TransferPlan::require_training(const TrainOptions& o, const network::Network& network) const {
  std::vector<int> starts{0};
  for (const Stage& stage : stages_)
    if (stage.epoch < o.epochs) starts.push_back(stage.epoch);
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::vector<int> still = frozen(starts[i]);
    const bool trains =
        std::any_of(network.layers.begin(), network.layers.end(), [&](const network::Layer& layer) {
          return layer.parameters > 0 &&
                 std::find(still.begin(), still.end(), layer.index) == still.end();
        });
    if (trains) continue;
    std::vector<std::string> given;
    for (const int one : o.freeze) given.push_back(std::to_string(one));
    const std::string until =
        stages_.empty() ? ""
                        : fmt::format(" with {} {}, from epoch {} on", setting_name("unfreeze-at"),
                                      text::printable(o.unfreeze_at), starts[i]);
    const bool all = static_cast<int>(still.size()) == layers_;
    throw usage_error(fmt::format("{} {}{}: all {}layers{} are frozen, nothing would be trained",
                                  setting_name("freeze"), text::join(given, " "), until,
                                  all ? fmt::format("{} ", layers_) : "",
                                  all ? "" : " that have weights"));
  }
}

TransferPlan::Part TransferPlan::part(const std::string& name) const {
  if (name == "all") return {"all", 0, layers_ - 1};
  for (const Part& one : parts_)
    if (one.name == name) return one;
  const auto dash = name.find('-');
  if (name.empty() || name.find_first_not_of("0123456789-") != std::string::npos)
    throw usage_error(
        fmt::format("{}: expected backbone, neck, head, all, a layer or first-last, found '{}'",
                    setting_name("unfreeze-at"), text::printable(name)));
  const int first = number(std::string_view(name).substr(0, dash), "a layer"),
            last = dash == std::string::npos
                       ? first
                       : number(std::string_view(name).substr(dash + 1), "a layer");
  if (first > last || last >= layers_)
    throw usage_error(fmt::format("{}: expected layers within 0..{}, found '{}'",
                                  setting_name("unfreeze-at"), layers_ - 1, name));
  return {name, first, last};
}

std::vector<int> TransferPlan::frozen(int epoch) const {
  std::vector<int> result;
  for (const int layer : first_) {
    const bool free = std::any_of(stages_.begin(), stages_.end(), [&](const Stage& stage) {
      return stage.epoch <= epoch &&
             std::find(stage.layers.begin(), stage.layers.end(), layer) != stage.layers.end();
    });
    if (!free) result.push_back(layer);
  }
  return result;
}

bool TransferPlan::changes_at(int epoch) const {
  return epoch == 0 ? !first_.empty() : frozen(epoch) != frozen(epoch - 1);
}

double TransferPlan::rate_of(const Part& part) const {
  return rates_.empty() ? 1 : rates_[static_cast<std::size_t>(part.first)];
}

int TransferPlan::within(const Part& part, const std::vector<int>& layers) {
  return static_cast<int>(std::count_if(layers.begin(), layers.end(), [&](int layer) {
    return layer >= part.first && layer <= part.last;
  }));
}

/// "backbone 0 of 51, neck 25 of 25 at 0.1 of the rate, head 1 of 1".
std::string TransferPlan::trained_text(int epoch) const {
  const std::vector<int> still = frozen(epoch);
  std::vector<std::string> texts;
  for (const Part& one : parts_) {
    const int off = within(one, still);
    const double rate = rate_of(one);
    const int count = one.last - one.first + 1;
    texts.push_back(
        fmt::format("{} {} of {}{}", one.name, count - off, count,
                    rate == 1 ? "" : fmt::format(" at {} of the rate", text::general(rate))));
  }
  return text::join(texts, ", ");
}

std::vector<std::string> TransferPlan::lines(int epochs) const {
  std::vector<std::string> result;
  std::vector<int> starts{0};
  for (const Stage& stage : stages_)
    if (stage.epoch > 0 && stage.epoch < epochs) starts.push_back(stage.epoch);
  for (std::size_t i = 0; i < starts.size(); ++i)
    result.push_back(fmt::format("transfer plan: epochs {} to {}: layers that train: {}", starts[i],
                                 (i + 1 < starts.size() ? starts[i + 1] : epochs) - 1,
                                 trained_text(starts[i])));
  return result;
}

std::string TransferPlan::svg(int epochs) const {
  constexpr int left = 90, width = 600, row = 34, top = 24;
  const int height = top + row * static_cast<int>(parts_.size()) + 30;
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} "
      "{1}\" font-family=\"Helvetica, Arial, sans-serif\" font-size=\"12\">\n",
      left + width + 20, height);
  out += fmt::format(
      "<rect width=\"{}\" height=\"{}\" fill=\"white\"/>\n<text x=\"{}\" y=\"15\">share of the "
      "layers that train, times their rate</text>\n",
      left + width + 20, height, left);
  for (std::size_t p = 0; p < parts_.size(); ++p) {
    const Part& one = parts_[p];
    const double rate = rate_of(one);
    const int y = top + row * static_cast<int>(p);
    out += fmt::format("<text x=\"8\" y=\"{}\">{}</text>\n", y + 20, one.name);
    for (int epoch = 0, next = 0; epoch < epochs; epoch = next) {
      for (next = epoch + 1; next < epochs && !changes_at(next);) ++next;
      const double share =
          1 - static_cast<double>(within(one, frozen(epoch))) / (one.last - one.first + 1);
      const double x = left + static_cast<double>(width) * epoch / epochs,
                   w = static_cast<double>(width) * (next - epoch) / epochs;
      out += fmt::format(
          "<rect x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\" fill=\"#1f6fb4\" "
          "fill-opacity=\"{:.3f}\" stroke=\"#888\"/>\n",
          x, y + 3, w, row - 6, share == 0 ? 0 : std::clamp(share * rate, 0.08, 1.0));
      out +=
          fmt::format("<text x=\"{:.1f}\" y=\"{}\">{}</text>\n", x + 4, y + 21,
                      share == 0 ? std::string("frozen")
                                 : fmt::format("{:.0f} % × {}", 100 * share, text::general(rate)));
    }
  }
  for (int tick = 0; tick <= 4; ++tick)
    out += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                       left + width * tick / 4, height - 10, epochs * tick / 4);
  return out + "</svg>\n";
}

}  // namespace yolov7::run
