#pragma once
// Shapes made from formulas, for a first training without real images (formula-driven supervised
// learning: Kataoka et al., "Pre-training without natural images", ACCV 2020). Each is a closed
// curve of the superformula (Gielis 2003), some with the edge of a Koch curve.
#include <string>
#include <vector>

#include "dataset/synth/synth_shapes.hpp"

namespace yolov7::dataset {

struct Formula {
  std::string name;  ///< "formula-07"
  int symmetry = 4;  ///< m
  double n1 = 1, n2 = 1, n3 = 1;
  int lobes = 0;           ///< a second wave of so many periods …
  double lobe_height = 0;  ///< … times the radius
  int koch = 0;            ///< how often every edge is replaced by four
  double koch_height = 0;  ///< of the bump, as a share of the edge; negative: inwards
};

/// Around the origin, farthest point at radius 1.
Outline formula_outline(const Formula& formula);
/// The first `count` formulas of one fixed sequence. Any two differ by at least 0.06 (root mean
/// square of the radii, largest radius 1) in every rotation by a multiple of 5°, compared without
/// the Koch edge.
std::vector<Formula> formulas(int count);

}  // namespace yolov7::dataset
