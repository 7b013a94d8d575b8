#pragma once
// How a server of the Open Inference Protocol is asked.
#include <map>
#include <stop_token>
#include <string>

namespace yolov7::runtime {

struct ServerOptions {
  int silence = 60;  ///< seconds without a byte of an answer
  /// By the server's origin, "https://host:8443": sent as "Authorization: Bearer KEY", never shown.
  std::map<std::string, std::string> keys = {};
  std::stop_token stop = {};  ///< ends waiting
};

}  // namespace yolov7::runtime
