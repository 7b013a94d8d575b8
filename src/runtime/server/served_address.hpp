#pragma once
// Where a server of the Open Inference Protocol offers a model (serving 1.3).
#include <string>
#include <string_view>

#include "core/http_client.hpp"

namespace yolov7::runtime {

/// "http://host:8000/v2/models/NAME", or with "/versions/V" behind it, in its parts.
struct ServedAddress {
  http::Address server;  ///< what stands before "/v2"
  std::string model;     ///< "/v2/models/NAME/versions/V"
  std::string name;      ///< "NAME"
  std::string text() const { return server.text() + model; }
};

/// Whether a model is given by an address instead of a path: it begins with http:// or https://.
bool is_served_model(std::string_view text);

/// Errors (usage) begin with `what`: those of http::parse_address(); a path of another form.
ServedAddress parse_served_address(const std::string& text, const std::string& what);

}  // namespace yolov7::runtime
