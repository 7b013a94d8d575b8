#pragma once
// The linear assignment problem: who goes with whom at the least total cost.
#include <cstddef>
#include <vector>

namespace yolov7 {

/// `costs`: rows × columns, row-major. A pair costs what stands there, leaving a row or a column
/// alone costs `limit` / 2 each, so that no pair above `limit` is made. Exact (Kuhn 1955, by
/// shortest augmenting paths), O((rows + columns)³). Returns for each row its column, or −1.
std::vector<int> assign(const std::vector<double>& costs, std::size_t rows, std::size_t columns,
                        double limit);

}  // namespace yolov7
