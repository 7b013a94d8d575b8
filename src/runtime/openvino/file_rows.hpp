#pragma once
// What goes into a model file, and its outputs, in any layout that we know, as rows of a prediction
// (export 0).
#include <cstddef>
#include <span>
#include <vector>

#include "runtime/openvino/model_file.hpp"

namespace yolov7::runtime {

/// One output: its sides, the first of them the batch, and its values.
struct FileOutput {
  std::vector<std::size_t> shape;
  const float* values = nullptr;
};

/// Errors: no image; sides that are not multiples of the stride; other sides than the fixed ones.
void require_input(int count, int height, int width, int stride, const InputSides& sides);
/// The same of a batch. Error besides: another number of bytes than its shape has.
void require_input(const PixelBatch& batch, int stride, const InputSides& sides);

/// Appends the rows of the first `count` images of a batch to `prediction` (its count, rows,
/// columns, decoded and suppressed). `height`, `width`: of the input, in pixels. Errors:
/// outputs that are not those of the layout, which a graph of open sides can give; another number
/// of rows than the batches before had.
void append_rows(const ModelFacts& facts, std::span<const FileOutput> outputs, int count,
                 int height, int width, Prediction& prediction);

}  // namespace yolov7::runtime
