#pragma once
// The one rule for JPEG files that lack their end, for everything in this process that decodes
// images (data 4.1).
#include <string>
#include <vector>

#include "core/settings.hpp"
#include "image/codec/codec_format.hpp"

namespace yolov7 {

struct TruncatedRule {
  enum class Kind { keep, drop };
  Kind kind = Kind::keep;
  double share = 0.98;  ///< keep: of the rows, this share must decode; the others become gray
  bool operator==(const TruncatedRule&) const = default;
  /// As DecodeLimits::least_rows; above 1: no file without its end is used.
  double least_rows() const { return kind == Kind::keep ? share : 2; }
};

/// --truncated and --truncated-share. `title`: of their group in --help.
std::vector<Setting> truncated_settings(TruncatedRule& rule, const std::string& title);
/// From any thread; before images are read. Returns the rule before: keep at 0.98 at first.
TruncatedRule set_truncated_rule(const TruncatedRule& rule);
TruncatedRule truncated_rule();

/// Whether an image of these rows is used.
bool enough_rows(const DecodedRows& rows, double least_rows = truncated_rule().least_rows());
/// Why not.
std::string describe_missing(const DecodedRows& rows, double least_rows);

}  // namespace yolov7
