#pragma once
// The configuration that a pickled model carries, as the text that network::build reads.
#include <string>

#include "network/torch_file/pickle.hpp"

namespace yolov7::network {

/// From the attribute `yaml`: the keys nc, depth_multiple, width_multiple, anchors, backbone and
/// head (architecture 2.1a); other keys are left out. Error where a value has no such form.
std::string config_text(const PickleValue& yaml, const std::string& source);

/// `text` with another value of a top-level number ("width_multiple"); the line is added if there
/// is none.
std::string with_number(const std::string& text, const std::string& key, double value);

}  // namespace yolov7::network
