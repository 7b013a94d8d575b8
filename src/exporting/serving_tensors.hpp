#pragma once
// Inputs and outputs of the files of an export, as servers want to be told them.
#include <cstdint>
#include <string>
#include <vector>

#include "exporting/format_table.hpp"

namespace yolov7::exporting {

enum class TensorType { float16, float32, int32 };

struct ServedTensor {
  std::string name;
  TensorType type = TensorType::float32;
  std::vector<std::int64_t> sides;  ///< the batch first; −1 = open
};

struct ServedModel {
  std::vector<ServedTensor> inputs, outputs;
  bool open_batch = false;  ///< every tensor has the batch as its first side, and it is open
};

/// What the format's file of this model takes and gives; as write() of the format makes it.
ServedModel served_model(const Format& format, const ExportModel& model,
                         const ExportOptions& options);

}  // namespace yolov7::exporting
