// Greedy suppression of the candidates in a file, 6 float32 each: x1, y1, x2, y2, score, class.
// benchmarks/nms_compare makes the file and runs this. Usage: benchmark_nms FILE IOU MOST_KEPT.
// Prints the best of 30 times in ms, then the indices that are kept.
#include "image/boxes/nms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>

#include "core/file.hpp"

int main(int argc, char** argv) {
  if (argc != 4) {
    fmt::print(stderr, "usage: benchmark_nms FILE IOU MOST_KEPT\n");
    return 2;
  }
  const std::string bytes = yolov7::file::read(argv[1]);
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
  std::vector<yolov7::Detection> candidates;
  for (std::size_t i = 0; i + 5 < values.size(); i += 6)
    candidates.push_back({{values[i], values[i + 1], values[i + 2], values[i + 3]},
                          values[i + 4],
                          static_cast<int>(values[i + 5])});
  std::vector<std::size_t> kept;
  double best = 1e9;
  for (int round = 0; round < 30; ++round) {
    const auto start = std::chrono::steady_clock::now();
    kept = yolov7::suppress(candidates, std::stod(argv[2]), false, std::stoul(argv[3]));
    best = std::min(
        best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
                  .count());
  }
  fmt::print("{}\n", best);
  for (const std::size_t i : kept) fmt::print("{}\n", i);
}
