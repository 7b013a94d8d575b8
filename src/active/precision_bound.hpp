#pragma once
// How low a precision may be, seen from a sample.
#include <cstddef>
#include <span>

namespace yolov7::active {

/// Lower bound of a share at this one-sided confidence, from `correct` of `all` (Clopper and
/// Pearson, Biometrika 26, 1934): the share p for which so many or more correct ones have the
/// probability 1 − confidence. 0 where none is correct; (1 − confidence)^(1/all) where all are. The
/// draws count as independent. Error: `correct` over `all`, a confidence outside (0, 1).
double lower_bound(std::size_t correct, std::size_t all, double confidence = 0.95);

/// The confidence of each bound where the sample is looked at several times, so that with
/// `confidence` none of the looks promises a precision of `precision` that is not there: a constant
/// level for all looks, as in Pocock's design (Biometrika 64, 1977), exact by the binomial walk of
/// the wrong ones over the looks. `counts`: sizes of the nested samples, ascending. The walk has
/// the wrong share 1 − precision from first to last. One look: `confidence` itself. Error: a
/// confidence or precision outside [0.5, 1).
double confidence_of_each(std::span<const std::size_t> counts, double precision,
                          double confidence = 0.95);

}  // namespace yolov7::active
