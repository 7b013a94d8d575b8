#pragma once
// What stands around a network so that pixels go in and boxes come out (architecture 3.4,
// evaluation 0.3), as primitives. Lowered here once; back ends and exporters translate each
// primitive.
#include <variant>
#include <vector>

#include "network/graph/graph.hpp"

namespace yolov7::network {

/// Bytes 0 … 255 [B, 3, H, W], R G B planes → 0 … 1.
struct PixelsToUnit {};

/// [B, anchors · columns, H, W] → [B, anchors, H · W, columns]: one row per anchor and cell.
struct ToRows {
  int anchors = 3, columns = 85;
};

/// Rows [B, anchors, cells, columns] times factors[anchor · columns + column].
struct ScaleRows {
  int anchors = 3, columns = 85;
  std::vector<double> factors;
};

/// Rows [B, anchors, cells, columns] plus terms[column].
struct ShiftRows {
  std::vector<double> terms;
};

/// Rows of a map of height × width cells: column 0 plus stride · (x − 0.5), column 1 plus
/// stride · (y − 0.5), (x, y) = (0, 0) for the first cell.
struct AddCellOffsets {
  double stride = 8;
  int height = 0, width = 0, columns = 85;
};

/// What it adds: [cells, columns], row-major.
std::vector<float> cell_offsets(const AddCellOffsets& offsets);

/// Several [B, anchors, cells, columns] → [B, Σ anchors · cells, columns], in order.
struct JoinRows {
  int columns = 85;
};

using DetectorPrimitive = std::variant<PixelsToUnit, Activate, Multiply, ToRows, ScaleRows,
                                       ShiftRows, AddCellOffsets, JoinRows>;

struct DetectorOperation {
  DetectorPrimitive primitive;
  std::vector<int> inputs;  ///< value numbers
  int output = 0;           ///< value number
};

/// The numbers of values go on from the network's own: `before` makes value 0 from `input`, the
/// network's operations come next, then `after`.
struct DetectorProgram {
  int input = 0;  ///< the images as they come in; 0 where they are in 0 … 1 already
  std::vector<DetectorOperation> before, after;
  int rows = 0;         ///< decoded [B, rows, nc + 5]: centre and size in input pixels, objectness,
                        ///< classes; lead levels in order
  int value_count = 0;  ///< all values
};

/// For images of height × width pixels, multiples of the largest stride. `bytes`: images come in as
/// bytes. Decoding is x, y = 2S·σ + S·(g − 0.5) and w, h = 4A·σ², all columns at once as
/// (square · σ + linear) · σ + offset.
DetectorProgram lower_detector(const Network& network, int height, int width, bool bytes);

}  // namespace yolov7::network
