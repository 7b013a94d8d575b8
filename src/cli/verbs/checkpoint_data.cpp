#include "cli/verbs/checkpoint_data.hpp"

#include "core/error.hpp"
#include "network/checkpoint/checkpoint_file.hpp"
#include "run/run_state.hpp"
#include "versions/lineage.hpp"

namespace yolov7::cli {

std::string data_of_checkpoint(const std::string& path) {
  try {
    const network::Checkpoint checkpoint = network::read_checkpoint(path);
    return checkpoint.state.empty() ? "" : run::run_state(checkpoint.state, path).options.data;
  } catch (const Error&) {
    return "";
  }
}

void record_derived(const std::string& file, const std::string& kind, const std::string& parent) {
  if (!versions::store_in_reach()) return;
  versions::record_model(file, kind, parent, data_of_checkpoint(parent));
}

}  // namespace yolov7::cli
