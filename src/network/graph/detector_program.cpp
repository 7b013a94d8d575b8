#include "network/graph/detector_program.hpp"

#include <cmath>
#include <utility>

namespace yolov7::network {
namespace {

class Lowering {
 public:
  explicit Lowering(const Network& network) : network_(network) {
    program_.value_count = network.value_count;
  }

  DetectorProgram run(int height, int width, bool bytes) {
    if (bytes) {
      program_.input = program_.value_count++;
      program_.before.push_back({PixelsToUnit{}, {program_.input}, 0});
    }
    std::vector<int> levels;
    for (const Level& level : network_.levels)
      if (!level.auxiliary) levels.push_back(decode(level, height, width));
    program_.rows = append(JoinRows{network_.outputs_per_anchor()}, levels);
    return std::move(program_);
  }

 private:
  int append(DetectorPrimitive primitive, std::vector<int> inputs) {
    program_.after.push_back({std::move(primitive), std::move(inputs), program_.value_count});
    return program_.value_count++;
  }

  int decode(const Level& level, int height, int width) {
    const int columns = network_.outputs_per_anchor(),
              anchors = static_cast<int>(level.anchors.size());
    const auto no = static_cast<std::size_t>(columns);
    std::vector<double> square(level.anchors.size() * no, 0), linear(no, 1);
    for (std::size_t a = 0; a < level.anchors.size(); ++a) {
      square[a * no + 2] = 4 * level.anchors[a].w;
      square[a * no + 3] = 4 * level.anchors[a].h;
    }
    linear[0] = linear[1] = 2 * level.stride;
    linear[2] = linear[3] = 0;
    const int sigma = append(Activate{{ActivationKind::sigmoid, 0}}, {level.value});
    const int rows = append(ToRows{anchors, columns}, {sigma});
    const int squared = append(ScaleRows{anchors, columns, std::move(square)}, {rows});
    const int factor = append(ShiftRows{std::move(linear)}, {squared});
    const int scaled = append(Multiply{}, {factor, rows});
    const auto cells = [&](int side) { return static_cast<int>(std::lround(side / level.stride)); };
    return append(AddCellOffsets{level.stride, cells(height), cells(width), columns}, {scaled});
  }

  const Network& network_;
  DetectorProgram program_;
};

}  // namespace

std::vector<float> cell_offsets(const AddCellOffsets& offsets) {
  const auto columns = static_cast<std::size_t>(offsets.columns),
             width = static_cast<std::size_t>(offsets.width),
             cells = static_cast<std::size_t>(offsets.height) * width;
  const auto stride = static_cast<float>(offsets.stride);
  std::vector<float> values(cells * columns, 0);
  for (std::size_t cell = 0; cell < cells; ++cell) {
    values[cell * columns] = stride * (static_cast<float>(cell % width) - 0.5F);
    values[cell * columns + 1] = stride * (static_cast<float>(cell / width) - 0.5F);
  }
  return values;
}

DetectorProgram lower_detector(const Network& network, int height, int width, bool bytes) {
  return Lowering(network).run(height, width, bytes);
}

}  // namespace yolov7::network
