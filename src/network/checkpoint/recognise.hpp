#pragma once
// Which network a set of named tensors is (architecture 6.10).
#include <string>
#include <vector>

#include "network/graph/weights.hpp"
#include "network/torch_file/pickle.hpp"

namespace yolov7::network {

/// What a file says about its network beside the tensors; all of it may be missing.
struct Evidence {
  std::string config, config_source;   ///< "" = none
  std::string config_problem;          ///< why a configuration in the file cannot be used
  const PickleValue* model = nullptr;  ///< pickled modules, for comparison
};

struct Recognised {
  std::string config, config_source;
  int class_count = 0;
  std::vector<std::string> notes;  ///< what had to be assumed or was left out, for people
};

/// The file's own configuration if it has one, else a published network of as many layers (of any
/// width). A candidate is taken only if every tensor name and shape fits and the pickled modules
/// agree. Errors: no head, an unsupported head, no candidate that fits (with the first difference).
Recognised recognise(const Weights& weights, const Evidence& evidence, const std::string& source);

/// `weights` in the order of the network they belong to, missing counters of batch-norms as zeros,
/// and without what a folded network does not use any more. Error: anything missing, surplus or of
/// another shape.
Weights arranged(Weights weights, const Recognised& network, const std::string& source,
                 std::vector<std::string>& notes);

}  // namespace yolov7::network
