#pragma once
// A configuration as an editable list of layers, for programs that derive one network from another
// (deploy graph, scaling).
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/value.hpp"
#include "network/config/argument.hpp"

namespace yolov7::network {

struct ConfigEntry {
  int id = 0;  ///< stays with the entry when others are added or removed; index in the text as read
  std::vector<int> from;  ///< ids; −1 = the picture
  int repeats = 1;        ///< as written, before depth_multiple
  std::string block;
  std::vector<Argument> arguments;  ///< as written, before width_multiple
  bool head = false;                ///< stands under `head`
};

struct ConfigDocument {
  Value root;  ///< the text as read: nc, multiples, anchors
  std::vector<ConfigEntry> entries;
  std::map<int, std::string> attention;  ///< `sam`, by id
  /// `widths`: output channels by id and the rest of the tensor's name ("cv1.conv").
  std::map<std::pair<int, std::string>, int> widths;

  const ConfigEntry* find(int id) const;
  ConfigEntry* find(int id);
  /// Position by id, of the entries as they stand now.
  std::map<int, int> positions() const;
};

/// Error where `text` is no configuration that build() takes, with its message.
ConfigDocument parse_config(std::string_view text, const std::string& source);
/// `text` with so many anchors per level, to be searched, instead of its own. Errors as build().
std::string with_anchor_count(std::string_view text, const std::string& source, int count);
/// `text` with these output channels of convolutions, by tensor name, beside those that it has.
std::string with_widths(std::string_view text, const std::string& source,
                        const std::map<std::string, int>& widths);
/// As a configuration text: multiples, anchors and class count as they were, inputs renumbered.
/// `comment` becomes its first line.
std::string to_text(const ConfigDocument& document, const std::string& comment);

}  // namespace yolov7::network
