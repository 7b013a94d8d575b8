#pragma once
// A network and what decodes its maps as TorchScript text (export 7).
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "network/graph/detector_program.hpp"
#include "network/graph/graph.hpp"

namespace yolov7::nn {

struct ScriptForm {
  bool decoded = false;  ///< rows [B, N, 5 + nc]; else a tuple of maps [B, na, H, W, 5 + nc]
  bool folded = false;   ///< with `decoded`: [B, 4 + nc, N], objectness · class
  bool half = false;     ///< the network computes in float16, decoding in float32
  bool half_output = false;
};

struct ScriptSource {
  struct Weight {
    std::string name;                 ///< of the network's tensor
    std::vector<std::int64_t> shape;  ///< that the script takes it in
  };
  struct Constant {
    std::vector<std::int64_t> shape;
    std::vector<double> values;
  };
  std::string text;                           ///< def forward(self, images: Tensor)
  std::map<std::string, Weight> weights;      ///< by the attribute of the module
  std::map<std::string, Constant> constants;  ///< by the attribute; float32
  std::vector<std::string> values;            ///< their names in the text, by their numbers
};

/// `network` without auxiliary levels. Cells are counted from the maps, so that batch, height and
/// width are open.
ScriptSource script_source(const network::Network& network, const network::DetectorProgram& program,
                           const ScriptForm& form);

}  // namespace yolov7::nn
