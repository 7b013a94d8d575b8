#pragma once
// Indexes made by hand for the loader's tests.
#include <filesystem>
#include <vector>

#include "dataset/index/index.hpp"
#include "dataset/loading/loader.hpp"

namespace yolov7::test {

/// `count` PNG pictures of random pixels and of different sizes up to 48 px in `folder`, 0 to 3
/// labels each; every second label has a polygon if `polygons`.
dataset::Index random_index(const std::filesystem::path& folder, int count, bool polygons);
/// All batches of the epoch from `first` on.
std::vector<dataset::Batch> all_batches(dataset::BatchLoader& loader, int epoch,
                                        std::size_t first = 0);
/// Every field of two batches is the same.
void expect_same(const dataset::Batch& a, const dataset::Batch& b);
void expect_same(const std::vector<dataset::Batch>& a, const std::vector<dataset::Batch>& b);

}  // namespace yolov7::test
