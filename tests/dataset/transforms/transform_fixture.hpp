#pragma once
// What the tests of all groups of the catalogue share.
#include <map>
#include <opencv2/core/mat.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/augment/transforms/transform.hpp"

namespace yolov7::dataset {

using Entries = std::vector<TransformEntry>;

/// A smooth picture with edges, by formula; no two channels alike, no large flat part.
cv::Mat textured(cv::Size size);
/// One colour, B G R.
cv::Mat flat(cv::Size size, const cv::Vec3b& bgr);
/// Pixels in row order.
cv::Mat pixels(cv::Size size, const std::vector<cv::Vec3b>& bgr);

/// The sample after the transform of that name with these parameters ("{blur_limit: [3, 3]}"), by
/// the stream of `seed`. `context.other`, where it is empty, gives a textured picture of 40 × 30 px
/// with one object.
Sample applied(const Entries& entries, std::string_view name, const std::string& parameters,
               Sample sample, std::uint64_t seed = 1, TransformContext context = {});
/// As above, of a picture without objects.
cv::Mat applied_to(const Entries& entries, std::string_view name, const std::string& parameters,
                   const cv::Mat& picture, std::uint64_t seed = 1);

/// Largest difference of two pictures of one size; −1 where the sizes differ.
int largest_difference(const cv::Mat& a, const cv::Mat& b);

/// For every entry: same key, same bytes; an effect under some of 16 keys; what its box code
/// promises; a box at the border, a polygon; no objects; pictures of 1 × 1, 5 × 3, 2 × 9 and 4000 ×
/// 120 px; a part of a larger picture, whose other pixels stay. `parameters`: those under which a
/// transform that does nothing by default does something.
void check_common_rules(const Entries& entries,
                        const std::map<std::string_view, std::string>& parameters = {});

}  // namespace yolov7::dataset
