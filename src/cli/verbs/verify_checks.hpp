#pragma once
// The parts of verify that its two kinds of model have in common.
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/verb.hpp"

namespace yolov7::cli {

struct VerifyOptions {
  std::string weights, parent, images, data;
  bool hashes_alone = false;
};

/// Each check is one line: what, and whether it holds.
struct Checks {
  struct One {
    std::string what;
    bool holds;
    std::string detail;
  };
  std::vector<One> list;
  bool passed = true;
  void add(const Output& output, const std::string& what, bool holds, const std::string& detail);
  nlohmann::json json() const;
};

/// Whether an exported file stands there, or the certificate of one.
bool is_exported(const std::string& path);
/// Compares an exported file with the weights that its certificate names, as the export did.
nlohmann::json verify_exported(const VerifyOptions& options, Output& output);

}  // namespace yolov7::cli
