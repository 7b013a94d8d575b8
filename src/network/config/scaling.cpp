#include "network/config/scaling.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "core/error.hpp"
#include "network/config/builder.hpp"
#include "network/config/config_document.hpp"
#include "network/config/lowering.hpp"

namespace yolov7::network {
namespace {

/// Two 1×1 convolutions on one input, a chain of 3×3 ones behind the second, and a concatenation of
/// chain members, the second and the first 1×1 (architecture 2.2).
struct Group {
  int concat = 0, first = 0, second = 0;
  std::vector<int> chain;  ///< ids, from the input on
  bool dense = false;
};

bool is_conv(const ConfigEntry& entry, int kernel) {
  const auto number = [&](std::size_t i, double fallback) {
    if (i >= entry.arguments.size()) return fallback;
    const Argument& a = entry.arguments[i];
    if (a.kind == Argument::Kind::list)
      return a.list.size() == 2 && a.list[0].number == a.list[1].number ? a.list[0].number : -1.0;
    return a.kind == Argument::Kind::number ? a.number : fallback;
  };
  return find_block(entry.block) == find_block("Conv") && entry.from.size() == 1 &&
         entry.repeats == 1 && number(1, 1) == kernel && number(2, 1) == 1;
}

std::optional<Group> group_of(const ConfigDocument& document, const ConfigEntry& concat) {
  if (find_block(concat.block) != find_block("Concat") || concat.from.size() < 3)
    return std::nullopt;
  Group group;
  group.concat = concat.id;
  group.first = concat.from.back();
  group.second = concat.from[concat.from.size() - 2];
  const ConfigEntry *first = document.find(group.first), *second = document.find(group.second);
  if (first == nullptr || second == nullptr || !is_conv(*first, 1) || !is_conv(*second, 1) ||
      first->from != second->from)
    return std::nullopt;
  for (int id = concat.from[0]; id != group.second;) {
    const ConfigEntry* entry = document.find(id);
    if (entry == nullptr || !is_conv(*entry, 3)) return std::nullopt;
    group.chain.push_back(id);
    id = entry->from[0];
  }
  const std::vector<int> taps(concat.from.begin(), concat.from.end() - 2);
  std::vector<int> every_second;
  for (std::size_t i = 0; i < group.chain.size(); i += 2) every_second.push_back(group.chain[i]);
  group.dense = taps == group.chain;
  if (!group.dense && (taps != every_second || group.chain.size() % 2 != 0)) return std::nullopt;
  std::reverse(group.chain.begin(), group.chain.end());
  return group;
}

int scaled_length(const Group& group, double depth) {
  const double units = static_cast<double>(group.chain.size()) / (group.dense ? 1 : 2);
  return std::max(1, static_cast<int>(std::lround(units * depth))) * (group.dense ? 1 : 2);
}

/// Convolutions of the chain are copied behind its last one or taken from its end; then the taps
/// are set anew.
void resize_chain(ConfigDocument& document, Group& group, int length) {
  std::vector<ConfigEntry>& entries = document.entries;
  const auto position = [&](int id) {
    return std::find_if(entries.begin(), entries.end(),
                        [&](const ConfigEntry& e) { return e.id == id; });
  };
  while (static_cast<int>(group.chain.size()) > length) {
    entries.erase(position(group.chain.back()));
    group.chain.pop_back();
  }
  while (static_cast<int>(group.chain.size()) < length) {
    const auto last = position(group.chain.back());
    ConfigEntry copy = *last;
    copy.id =
        std::max_element(entries.begin(), entries.end(),
                         [](const ConfigEntry& a, const ConfigEntry& b) { return a.id < b.id; })
            ->id +
        1;
    copy.from = {group.chain.back()};
    group.chain.push_back(copy.id);
    entries.insert(last + 1, copy);
  }
  std::vector<int>& taps = document.find(group.concat)->from;
  taps.clear();
  for (std::size_t i = 0; i < group.chain.size(); i += group.dense ? 1 : 2)
    taps.push_back(group.chain[group.chain.size() - 1 - i]);
  taps.insert(taps.end(), {group.second, group.first});
}

/// Whether a layer outside the group reads a part of its chain, which then has to stay as it is.
bool read_from_outside(const ConfigDocument& document, const Group& group) {
  const std::set<int> chain(group.chain.begin(), group.chain.end());
  return std::any_of(document.entries.begin(), document.entries.end(),
                     [&](const ConfigEntry& entry) {
                       return entry.id != group.concat && chain.count(entry.id) == 0 &&
                              std::any_of(entry.from.begin(), entry.from.end(),
                                          [&](int id) { return chain.count(id) != 0; });
                     });
}

void scale_width(ConfigEntry& entry, double width, int head_rows) {
  const BlockKind* kind = find_block(entry.block);
  if (!kind->has_width || entry.arguments.empty() ||
      entry.arguments[0].kind != Argument::Kind::number)
    return;
  double& channels = entry.arguments[0].number;
  if (static_cast<int>(channels) != head_rows) channels = std::ceil(channels * width / 8) * 8;
}

}  // namespace

ScaledConfig scale_config(std::string_view text, const std::string& source, double depth,
                          double width) {
  for (const double factor : {depth, width})
    if (!(factor >= 0.1 && factor <= 16))
      throw usage_error(fmt::format("scale: expected factors from 0.1 to 16, found {}", factor));
  ConfigDocument document = parse_config(text, source);
  if (!document.widths.empty())
    throw Error(fmt::format(
        "{}: expected a configuration without `widths`, found a pruned one: its channels are no "
        "multiples of a width any more",
        source));
  const Network network = build(text, source);
  ScaledConfig result;
  std::set<int> inside;
  std::vector<Group> groups;
  for (const ConfigEntry& entry : document.entries)
    if (const auto group = group_of(document, entry); group && !read_from_outside(document, *group))
      groups.push_back(*group);
  for (Group& group : groups) {
    const int before = static_cast<int>(group.chain.size());
    resize_chain(document, group, scaled_length(group, depth));
    inside.insert({group.first, group.second});
    inside.insert(group.chain.begin(), group.chain.end());
    result.groups.push_back(
        {group.concat, before, static_cast<int>(group.chain.size()), group.dense});
  }
  for (ConfigEntry& entry : document.entries) {
    if (inside.count(entry.id) == 0)
      scale_width(entry, width, network.anchors_per_level * network.outputs_per_anchor());
    if (entry.repeats > 1)
      entry.repeats = std::max(1, static_cast<int>(std::lround(entry.repeats * depth)));
  }
  result.text =
      to_text(document, fmt::format("{} scaled: depth {}, width {}", source, depth, width));
  build(result.text, source + " (scaled)");
  return result;
}

}  // namespace yolov7::network
