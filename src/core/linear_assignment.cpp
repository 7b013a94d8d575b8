#include "core/linear_assignment.hpp"

#include <algorithm>
#include <limits>

namespace yolov7 {
namespace {

/// Square problem of side n; cost(i, j). Returns for each column its row.
template <class Cost>
std::vector<std::size_t> solve(std::size_t n, const Cost& cost) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  // Column 0 is a stand-in; potentials keep reduced costs non-negative, so each row is added along
  // a shortest path.
  std::vector<double> of_row(n + 1, 0), of_column(n + 1, 0);
  std::vector<std::size_t> row_of(n + 1, 0), previous(n + 1, 0);
  for (std::size_t row = 1; row <= n; ++row) {
    row_of[0] = row;
    std::vector<double> least(n + 1, infinity);
    std::vector<unsigned char> done(n + 1, 0);
    std::size_t column = 0;
    do {
      done[column] = 1;
      const std::size_t i = row_of[column];
      double delta = infinity;
      std::size_t next = 0;
      for (std::size_t j = 1; j <= n; ++j) {
        if (done[j]) continue;
        const double reduced = cost(i - 1, j - 1) - of_row[i] - of_column[j];
        if (reduced < least[j]) least[j] = reduced, previous[j] = column;
        if (least[j] < delta) delta = least[j], next = j;
      }
      for (std::size_t j = 0; j <= n; ++j) {
        if (done[j])
          of_row[row_of[j]] += delta, of_column[j] -= delta;
        else
          least[j] -= delta;
      }
      column = next;
    } while (row_of[column] != 0);
    for (; column != 0; column = previous[column]) row_of[column] = row_of[previous[column]];
  }
  return {row_of.begin() + 1, row_of.end()};
}

}  // namespace

std::vector<int> assign(const std::vector<double>& costs, std::size_t rows, std::size_t columns,
                        double limit) {
  std::vector<int> out(rows, -1);
  if (rows == 0 || columns == 0) return out;
  // Each row has a column of its own for being alone and each column a row; those two go together
  // for nothing.
  const double never = 4 * (limit + 1) * static_cast<double>(rows + columns);
  const std::vector<std::size_t> row_of = solve(rows + columns, [&](std::size_t i, std::size_t j) {
    if (i < rows && j < columns)
      return costs[i * columns + j] > limit ? never : costs[i * columns + j];
    if (i < rows) return j - columns == i ? limit / 2 : never;
    if (j < columns) return i - rows == j ? limit / 2 : never;
    return 0.0;
  });
  for (std::size_t j = 0; j < columns; ++j)
    if (const std::size_t i = row_of[j] - 1; i < rows && costs[i * columns + j] <= limit)
      out[i] = static_cast<int>(j);
  return out;
}

}  // namespace yolov7
