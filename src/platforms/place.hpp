#pragma once
// Where something lies on a server of labels: "roboflow://workspace/project/3",
// "label-studio://host:8080/project", "cvat://host/task".
#include <string>
#include <vector>

#include "core/http_client.hpp"

namespace yolov7::platforms {

struct Place {
  std::string service;             ///< "roboflow", "label-studio" or "cvat"
  http::Address server;            ///< of label-studio and cvat
  std::vector<std::string> parts;  ///< roboflow: workspace, project, version; else: project or task
  std::string text;                ///< as it was written

  const std::string& part(std::size_t index) const { return parts.at(index); }
};

/// label-studio and cvat: what stands between the host and the last part is the prefix of the
/// server. The connection is https, and http on this machine alone, unless the scheme says
/// otherwise ("label-studio+http://", "label-studio+https://"). Errors (usage): another scheme than
/// those of `services`, fewer or more parts than `least` to `most`, a part that is empty, ".." or
/// has control characters, a user or a password.
Place parse_place(const std::string& text, const std::vector<std::string>& services,
                  std::size_t least, std::size_t most);

}  // namespace yolov7::platforms
