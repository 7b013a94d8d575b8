#pragma once
// ncnn's two files (github.com/Tencent/ncnn, "param and model file structure"): layers as text, and
// weights one after the other.
#include <filesystem>

#include "exporting/export_model.hpp"

namespace yolov7::exporting {

/// Makes a folder of model.ncnn.param, model.ncnn.bin and metadata.yaml. Blob `images`: [3, H, W];
/// there is no batch axis. Form A: `output0`, …, a level each, [na, H · W, 5 + nc] before the
/// sigmoid. Form B: `output0`, [N, 5 + nc], or [4 + nc, N] without objectness. float16 is that of
/// the convolutions' weights; what the reader computes in is its own setting (use_fp16_arithmetic,
/// use_fp16_storage, use_bf16_storage), and in 11 bits a coordinate of 640 pixels is exact to 0.25.
/// A layer's own mask of types (parameter 31) is not written: with bfloat16 blobs, version
/// 1.0.20261020 then reads them as float32.
/// Errors: a batch of more than one, suppression in the graph, weights that float16 cannot hold.
void write_ncnn(const ExportModel& model, const ExportOptions& options,
                const std::filesystem::path& path);

}  // namespace yolov7::exporting
