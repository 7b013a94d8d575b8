#include "network/config/builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "core/builtin.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "network/config/attention.hpp"
#include "network/config/lowering.hpp"

namespace yolov7::network {
namespace {

struct Entry {
  const Value* value = nullptr;
  const BlockKind* kind = nullptr;
  std::vector<int> from;  ///< as written
  int repeats = 1;
  std::vector<Argument> arguments;
  std::string name;
};

class Builder {
 public:
  Builder(Network& network, const Overrides& overrides, const BuildLimits& limits)
      : network_(network), overrides_(overrides), limits_(limits), emitter_(network, limits) {}

  void run(const Value& root) {
    if (!root.is_mapping())
      throw Error(
          fmt::format("{}: expected a mapping with nc, anchors, backbone and head", root.where()));
    read_header(root);
    std::vector<const Value*> entries;
    for (const char* part : {"backbone", "head"}) {
      const Value& list = root.at(part);
      if (list.is_null()) continue;
      if (!list.is_sequence())
        throw Error(fmt::format("{}: expected a list of layers", list.where()));
      for (const Value& entry : list.sequence) entries.push_back(&entry);
      if (part == std::string_view("backbone"))
        network_.backbone_layers = static_cast<int>(entries.size());
    }
    if (static_cast<int>(entries.size()) > limits_.layers)
      throw Error(fmt::format("{}: expected at most {} layers, found {}", network_.source,
                              limits_.layers, entries.size()));
    read_attention(root, static_cast<int>(entries.size()));
    read_widths(root);
    for (std::size_t i = 0; i < entries.size(); ++i)
      add_layer(static_cast<int>(i), *entries[i], i + 1 == entries.size());
    if (network_.levels.empty() || network_.layers.empty() ||
        network_.layers.back().out_channels != 0)
      throw Error(fmt::format("{}: expected Detect, IDetect or IAuxDetect as the last layer",
                              network_.source));
    if (const std::string name = emitter_.unused_width(); !name.empty())
      throw Error(fmt::format("{}: widths: expected convolutions of the network, found '{}'",
                              network_.source, text::printable(name.substr(0, 200))));
    order_anchors();
  }

 private:
  void read_header(const Value& root) {
    network_.class_count =
        overrides_.class_count > 0 ? overrides_.class_count : checked(root.at("nc"), 1, 100'000);
    const auto multiple = [&](const char* key, double given) {
      const Value* value = root.find(key);
      const double number = given > 0                              ? given
                            : value == nullptr || value->is_null() ? 1.0
                                                                   : value->number();
      if (!(number > 0 && number <= 16))
        throw Error(fmt::format("{}: {}: expected a number above 0 and up to 16, found {}",
                                network_.source, key, number));
      return number;
    };
    depth_ = multiple("depth_multiple", overrides_.depth_multiple);
    width_ = multiple("width_multiple", overrides_.width_multiple);
    if (!overrides_.anchors.empty()) {
      for (const auto& row : overrides_.anchors) add_level(row, network_.source);
    } else {
      read_anchors(root.at("anchors"));
    }
  }

  /// `sam: {51: spatial, 63: pointwise}`: layers whose output goes through a spatial attention
  /// module (architecture 7.2).
  void read_attention(const Value& root, int layers) {
    const Value* map = root.find("sam");
    if (map == nullptr || map->is_null()) return;
    if (!map->is_mapping())
      throw Error(fmt::format("{}: sam: expected a mapping of layer to kind ({})", map->where(),
                              text::join(attention_kinds(), ", ")));
    for (const auto& [key, kind] : map->mapping) {
      const auto layer = text::parse_int(key);
      if (!layer || *layer < 0 || *layer >= layers)
        throw Error(fmt::format("{}: sam: expected a layer of 0 to {}, found '{}'", kind.where(),
                                layers - 1, text::printable(key.substr(0, 200))));
      const std::vector<std::string> known = attention_kinds();
      if (std::find(known.begin(), known.end(), kind.text()) == known.end())
        throw Error(fmt::format("{}: sam: expected {}, found '{}'", kind.where(),
                                text::join(known, ", "),
                                text::printable(kind.text().substr(0, 200))));
      attention_[static_cast<int>(*layer)] = kind.text();
    }
  }

  /// `widths: {model.24.conv: 120}`: output channels of convolutions by tensor name, as pruning
  /// leaves them (architecture 2.13).
  void read_widths(const Value& root) {
    const Value* map = root.find("widths");
    if (map == nullptr || map->is_null()) return;
    if (!map->is_mapping())
      throw Error(
          fmt::format("{}: widths: expected a mapping of convolution to channels", map->where()));
    std::map<std::string, int> widths;
    for (const auto& [name, channels] : map->mapping)
      widths[name] = checked(channels, 1, limits_.channels);
    emitter_.set_widths(std::move(widths));
  }

  static int checked(const Value& value, long long low, long long high) {
    const long long number = value.integer();
    if (number < low || number > high)
      throw Error(fmt::format("{}: expected {} to {}, found {}", value.where(), low, high, number));
    return static_cast<int>(number);
  }

  void read_anchors(const Value& value) {
    if (value.is_scalar() || overrides_.anchors_per_level > 0) {
      const int count =
          overrides_.anchors_per_level > 0 ? overrides_.anchors_per_level : checked(value, 1, 100);
      placeholder_anchors_ = count;  // one row per level; their number is known at the head
      network_.anchors_per_level = count;
      return;
    }
    if (!value.is_sequence() || value.sequence.empty())
      throw Error(fmt::format("{}: anchors: expected a list of rows, one per level, or a number",
                              value.where()));
    for (const Value& row : value.sequence) {
      if (!row.is_sequence() || row.sequence.size() < 2 || row.sequence.size() % 2 != 0)
        throw Error(fmt::format("{}: anchors: expected w, h pairs", row.where()));
      std::vector<AnchorSize> sizes;
      for (std::size_t i = 0; i < row.sequence.size(); i += 2)
        sizes.push_back({row.sequence[i].number(), row.sequence[i + 1].number()});
      add_level(sizes, row.where());
    }
  }

  void add_level(const std::vector<AnchorSize>& sizes, const std::string& where) {
    if (sizes.size() > 100)
      throw Error(
          fmt::format("{}: anchors: expected at most 100 pairs, found {}", where, sizes.size()));
    for (const AnchorSize& size : sizes)
      if (!(size.w > 0 && size.h > 0 && std::isfinite(size.w) && std::isfinite(size.h)))
        throw Error(fmt::format("{}: anchors: expected positive sizes", where));
    if (!network_.levels.empty() && network_.levels[0].anchors.size() != sizes.size())
      throw Error(fmt::format("{}: anchors: expected {} pairs as in the first row, found {}", where,
                              network_.levels[0].anchors.size(), sizes.size()));
    Level level;
    level.anchors = sizes;
    network_.levels.push_back(level);
    network_.anchors_per_level = static_cast<int>(sizes.size());
  }

  Entry read_entry(int index, const Value& value) {
    emitter_.layer = index;
    emitter_.place = value.where();
    emitter_.block = "?";
    if (!value.is_sequence() || value.sequence.size() != 4)
      emitter_.fail("expected [from, number, block, [arguments]]");
    Entry entry;
    entry.value = &value;
    entry.name = value.sequence[2].text();
    emitter_.block = entry.name;
    entry.kind = find_block(entry.name);
    if (entry.kind == nullptr) {
      std::vector<std::string> names;
      for (const BlockKind& kind : block_kinds()) names.emplace_back(kind.name);
      emitter_.fail(fmt::format(
          "unknown block{} Known: {}",
          text::nearest(entry.name, names) ? text::did_you_mean(entry.name, names) : ".",
          text::join(names, ", ")));
    }
    const Value& from = value.sequence[0];
    if (from.is_sequence())
      for (const Value& one : from.sequence)
        entry.from.push_back(
            static_cast<int>(std::clamp<long long>(one.integer(), -1'000'000, 1'000'000)));
    else
      entry.from.push_back(
          static_cast<int>(std::clamp<long long>(from.integer(), -1'000'000, 1'000'000)));
    entry.repeats = checked(value.sequence[1], 1, 1000);
    if (entry.repeats > 1)
      entry.repeats = std::max(static_cast<int>(std::nearbyint(entry.repeats * depth_)), 1);
    if (!value.sequence[3].is_sequence() && !value.sequence[3].is_null())
      emitter_.fail("expected a list of arguments");
    for (const Value& argument : value.sequence[3].sequence)
      entry.arguments.push_back(parse_argument(argument));
    return entry;
  }

  std::vector<int> resolve(const Entry& entry, int index) const {
    const BlockKind& kind = *entry.kind;
    if (entry.from.empty() ||
        (kind.inputs > 0 && static_cast<int>(entry.from.size()) != kind.inputs))
      emitter_.fail(fmt::format("expected {} inputs, found {}", kind.inputs, entry.from.size()));
    std::vector<int> absolute;
    for (const int from : entry.from) {
      const int layer = from < 0 ? index + from : from;
      if (layer < -1 || layer >= index || (layer == -1 && index != 0))
        emitter_.fail(
            fmt::format("input {} does not exist: there are layers 0..{}", from, index - 1));
      if (layer >= 0 && network_.layers[static_cast<std::size_t>(layer)].output_value < 0)
        emitter_.fail(fmt::format("input {} is a head", from));
      absolute.push_back(layer);
    }
    return absolute;
  }

  void check_arguments(Entry& entry) {
    const int count = static_cast<int>(entry.arguments.size());
    if (count < entry.kind->least_arguments || count > entry.kind->most_arguments)
      emitter_.fail(fmt::format("expected {} to {} arguments, found {}",
                                entry.kind->least_arguments, entry.kind->most_arguments, count));
    if (!entry.kind->has_width) return;
    Argument& width = entry.arguments[0];
    if (width.kind != Argument::Kind::number || width.number != std::floor(width.number) ||
        width.number < 1 || width.number > limits_.channels)
      emitter_.fail(fmt::format("argument 1: expected 1 to {} output channels, found {}",
                                limits_.channels, describe(width)));
    // make_divisible(v, 8), except for the width of a detection convolution (architecture 2.1, rule
    // 3)
    if (width.number != network_.anchors_per_level * (network_.class_count + 5))
      width.number = std::ceil(width.number * width_ / 8) * 8;
  }

  void add_layer(int index, const Value& value, bool last) {
    Entry entry = read_entry(index, value);
    const std::vector<int> from = resolve(entry, index);
    const bool head = entry.name.find("Detect") != std::string::npos;
    if (head && !last) emitter_.fail("a head must be the last layer");
    if (head && placeholder_anchors_ > 0)
      place_anchors(from.size() / (entry.name.find("Aux") != std::string::npos ? 2 : 1));
    check_arguments(entry);
    BlockCall call;
    for (const int layer : from)
      call.inputs.push_back(
          layer < 0 ? 0 : network_.layers[static_cast<std::size_t>(layer)].output_value);
    call.arguments = entry.arguments;
    call.prefix = fmt::format("model.{}.", index);
    const std::int64_t before = network_.parameter_count();
    const int copies = entry.kind->takes_repeats ? 1 : entry.repeats;
    copies_ += entry.repeats;  // each costs what a layer costs
    call.repeats = entry.repeats;
    if (copies_ > limits_.layers)
      emitter_.fail(
          fmt::format("expected at most {} layers with their repeats, found more", limits_.layers));
    int output = -1;
    for (int copy = 0; copy < copies; ++copy) {
      BlockCall one = call;
      if (copies > 1) one.prefix += fmt::format("{}.", copy);
      output = entry.kind->lower(emitter_, one);
      call.inputs = {output};
    }
    const auto attention = attention_.find(index);
    if (attention != attention_.end()) output = add_attention(attention->second, output);
    describe_layer(index, entry, from, output, before);
  }

  int add_attention(const std::string& kind, int output) {
    if (output < 0) emitter_.fail("sam: a head takes no attention");
    return lower_attention(emitter_, kind, output, fmt::format("model.{}.sam.", emitter_.layer));
  }

  void describe_layer(int index, const Entry& entry, const std::vector<int>& from, int output,
                      std::int64_t before) {
    Layer layer;
    layer.index = index;
    layer.inputs = from;
    layer.block = std::string(entry.kind->name);
    for (const Argument& argument : entry.arguments)
      layer.arguments += (layer.arguments.empty() ? "" : ", ") + describe(argument);
    if (const auto attention = attention_.find(index); attention != attention_.end())
      layer.attention = attention->second;
    layer.repeats = entry.repeats;
    layer.output_value = output;
    layer.out_channels = output < 0 ? 0 : emitter_.width(output);
    layer.reduction = output < 0 ? 0 : emitter_.reduction(output);
    layer.line = entry.value->line;
    layer.parameters = network_.parameter_count() - before;
    network_.layers.push_back(layer);
  }

  void place_anchors(std::size_t levels) {
    std::vector<AnchorSize> sizes;
    for (int i = 0; i < placeholder_anchors_; ++i) sizes.push_back({2.0 * i, 2.0 * i + 1});
    network_.anchors_per_level = placeholder_anchors_;
    network_.levels.assign(levels, Level{0, 8, sizes, false});
  }

  /// Areas must grow or fall with the strides; else the rows of anchors are reversed
  /// (architecture 3.8).
  void order_anchors() {
    const std::size_t lead = network_.lead_levels();
    const auto area = [](const AnchorSize& size) { return size.w * size.h; };
    const double da =
        area(network_.levels[lead - 1].anchors.back()) - area(network_.levels[0].anchors.front());
    const double ds = network_.levels[lead - 1].stride - network_.levels[0].stride;
    const auto sign = [](double v) { return v > 0 ? 1 : v < 0 ? -1 : 0; };
    if (sign(da) == sign(ds)) return;
    for (std::size_t i = 0, j = lead - 1; i < j; ++i, --j)
      std::swap(network_.levels[i].anchors, network_.levels[j].anchors);
    for (std::size_t i = lead; i < network_.levels.size(); ++i)
      network_.levels[i].anchors = network_.levels[i - lead].anchors;
  }

  Network& network_;
  const Overrides& overrides_;
  const BuildLimits& limits_;
  Emitter emitter_;
  double depth_ = 1, width_ = 1;
  int placeholder_anchors_ = 0, copies_ = 0;
  std::map<int, std::string> attention_;  // by layer
};

}  // namespace

Network build(std::string_view config_text, const std::string& source, const Overrides& overrides,
              const BuildLimits& limits) {
  Network network;
  network.source = source;
  network.config = std::string(config_text);
  const Value root = parse_yaml(config_text, source);
  Builder(network, overrides, limits).run(root);
  return network;
}

std::string read_config(const std::string& path) {
  if (std::filesystem::is_regular_file(path)) return file::read(path, 16u << 20);
  const std::string_view found = builtin_path(path);
  if (found.rfind("training/", 0) == 0 || found.rfind("deploy/", 0) == 0) {
    log::info(fmt::format("{}: not a file here; using the built-in {}", path, found));
    return std::string(*builtin_file(path));
  }
  throw Error(
      fmt::format("{}: expected a config file or the name of a built-in network, found neither. "
                  "Built in: {}; deploy graphs: {}",
                  path, text::join(builtin_names("training"), ", "),
                  text::join(builtin_names("deploy"), ", ")));
}

}  // namespace yolov7::network
