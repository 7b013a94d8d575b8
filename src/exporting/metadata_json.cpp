#include "exporting/metadata_json.hpp"

#include <nlohmann/json.hpp>

namespace yolov7::exporting {

std::string metadata_json(const Metadata& metadata) {
  nlohmann::ordered_json object = nlohmann::ordered_json::object();
  for (const auto& [key, value] : metadata) object[key] = value;
  // Texts of metadata are printable already; the tree of core is not ordered.
  return object.dump(1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace yolov7::exporting
