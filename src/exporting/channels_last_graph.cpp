#include "exporting/channels_last_graph.hpp"

namespace yolov7::exporting {

std::vector<float> permuted(const network::Tensor& tensor, const Shape& shape,
                            const std::vector<std::size_t>& order) {
  const std::vector<float> source = tensor.to_floats();
  std::vector<std::size_t> steps(shape.size(), 1), lengths, strides, at(shape.size(), 0);
  for (std::size_t axis = shape.size() - 1; axis > 0; --axis)
    steps[axis - 1] = steps[axis] * static_cast<std::size_t>(shape[axis]);
  for (const std::size_t axis : order) {
    lengths.push_back(static_cast<std::size_t>(shape[axis]));
    strides.push_back(steps[axis]);
  }
  std::vector<float> result;
  result.reserve(source.size());
  for (std::size_t from = 0; result.size() < source.size();) {
    result.push_back(source.at(from));
    for (std::size_t axis = order.size(); axis-- > 0;) {
      from += strides[axis];
      if (++at[axis] < lengths[axis]) break;
      from -= strides[axis] * lengths[axis];
      at[axis] = 0;
    }
  }
  return result;
}

}  // namespace yolov7::exporting
