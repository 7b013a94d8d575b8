#pragma once
// Images whose pixels are equal to the last bit, whatever their files look like.
#include <cstddef>
#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace yolov7::dataset::similarity {

/// SHA-256 of size and pixels of a decoded image, 64 hexadecimal digits. The digest of a file's
/// bytes is sha256_of_file().
std::string pixel_digest(const cv::Mat& bgr);
/// Digests of the chosen images, which are decoded whole; "" for the others, and for one that
/// cannot be decoded. Error: stopped_error().
std::vector<std::string> pixel_digests(const std::vector<std::filesystem::path>& images,
                                       std::span<const std::size_t> chosen, int threads = 0,
                                       const std::stop_token& stop = {});

}  // namespace yolov7::dataset::similarity
