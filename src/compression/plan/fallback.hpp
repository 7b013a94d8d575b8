#pragma once
// How few layers have to stay in float32 for an accuracy budget.
#include <cstddef>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace yolov7::compression {

struct FallbackTrial {
  std::size_t real_layers = 0;
  double lost = 0;
};
struct Fallback {
  bool kept = false;           ///< the budget holds
  std::set<std::string> real;  ///< the layers in float32
  std::vector<FallbackTrial> trials;
};

/// `order`: layers, those that cost most first; their first n go to float32 together, n = 0, 1, 2,
/// 4, … up to `most`, and then the smallest n between the last that did not hold and the first that
/// did is searched by halving. `lost`: what the network loses with these layers in float32.
Fallback least_fallback(const std::vector<std::string>& order, std::size_t most,
                        const std::function<double(const std::set<std::string>&)>& lost,
                        double budget);

}  // namespace yolov7::compression
