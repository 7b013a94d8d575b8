#pragma once
// What `info` says about a checkpoint beside its network.
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/verb.hpp"
#include "network/checkpoint/checkpoint.hpp"

namespace yolov7::cli {

/// path, format, container, variant, precision, folded, date, epoch, best_fitness,
/// dataset_identity, tensors, notes. `network`: what checkpoint.build_network() gave.
nlohmann::json checkpoint_facts(const std::string& path, const network::Checkpoint& checkpoint,
                                const network::Network& network);
/// The same for people, a few lines.
void print_checkpoint_facts(const nlohmann::json& facts, int image_size, const Output& output);

}  // namespace yolov7::cli
