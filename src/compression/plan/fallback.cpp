#include "compression/plan/fallback.hpp"

#include <algorithm>

namespace yolov7::compression {

Fallback least_fallback(const std::vector<std::string>& order, std::size_t most,
                        const std::function<double(const std::set<std::string>&)>& lost,
                        double budget) {
  most = std::min(most, order.size());
  Fallback found;
  const auto holds = [&](std::size_t count) {
    const std::set<std::string> real(order.begin(),
                                     order.begin() + static_cast<std::ptrdiff_t>(count));
    const double loss = lost(real);
    found.trials.push_back({count, loss});
    if (!(loss <= budget)) return false;
    found.kept = true;
    found.real = real;
    return true;
  };
  if (holds(0)) return found;
  std::size_t broken = 0, held = 0;
  for (std::size_t count = 1; held == 0 && broken < most; count *= 2) {
    const std::size_t tried = std::min(count, most);
    (holds(tried) ? held : broken) = tried;
  }
  while (held > broken + 1) {
    const std::size_t middle = broken + (held - broken) / 2;
    (holds(middle) ? held : broken) = middle;
  }
  return found;
}

}  // namespace yolov7::compression
