#pragma once
// Which sizes the objects of a class have, against the long side of their image. Learned from the
// rows that are boxes; tells which of several readings of a row is likely.
#include <unordered_map>

#include "image/boxes/box.hpp"

namespace yolov7::dataset::doctor {

class SizeModel {
 public:
  void add(int class_index, const CxcywhNormalized& box, int width, int height);
  void finish();
  /// ln of the density of the box's size and shape (logarithms of area and of width over height),
  /// from below limited to -16; normal distributions of the class, or of all classes where the
  /// class has fewer than 20 boxes. 0 where fewer than 20 boxes were learned.
  double log_likelihood(int class_index, const CxcywhNormalized& box, int width, int height) const;
  bool learned() const;

 private:
  struct Moments {
    double count = 0, sum[2] = {}, squares[2] = {};
    double mean[2] = {}, deviation[2] = {};
  };
  std::unordered_map<int, Moments> classes_;
  Moments all_;
};

}  // namespace yolov7::dataset::doctor
