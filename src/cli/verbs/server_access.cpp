#include "cli/verbs/server_access.hpp"

#include "core/interrupt.hpp"
#include "core/setting_name.hpp"
#include "platforms/credentials.hpp"
#include "runtime/server/served_address.hpp"

namespace yolov7::cli {

void take_server_access(api::ModelOptions& model) {
  model.server.stop = interrupt::token();
  for (const std::string& one : model.weights) {
    if (!runtime::is_served_model(one)) continue;
    const std::string origin =
        runtime::parse_served_address(one, setting_name("weights")).server.origin();
    const platforms::Credential key =
        platforms::optional_credential("inference", origin, {"YOLOV7_SERVER_KEY"});
    if (!key.value.empty()) model.server.keys[origin] = key.value;
  }
}

}  // namespace yolov7::cli
