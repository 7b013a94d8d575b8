#pragma once
// Which parts of the program are there on this machine.
#include <string>
#include <vector>

namespace yolov7::api {

struct InstalledPart {
  std::string name;        ///< "training", "video", "GPU training", …
  std::string needed_for;  ///< in words
  bool found = false;
  std::string reason;  ///< where it is missing: one line
  std::string remedy;  ///< where it is missing: the line that installs it
};

/// Each is loaded, LibTorch among them. `gpu`: whether what GPUs need is looked for.
std::vector<InstalledPart> installed_parts(bool gpu);

}  // namespace yolov7::api
