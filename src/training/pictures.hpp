#pragma once
// Pictures of training batches with their labels (training 3: train_batchN.jpg).
#include <filesystem>
#include <string>
#include <vector>

#include "dataset/batch.hpp"

namespace yolov7::training {

void write_batch_picture(const std::filesystem::path& path, const dataset::Batch& batch, const std::vector<std::string>& names);

}  // namespace yolov7::training
