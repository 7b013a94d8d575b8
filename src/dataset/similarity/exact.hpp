#pragma once
// Images that are equal to the last bit: their files, or their pixels whatever the files look like.
#include <cstddef>
#include <filesystem>
#include <opencv2/core/mat.hpp>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

namespace yolov7::dataset::similarity {

/// SHA-256 of size and pixels of a decoded image, 64 hexadecimal digits.
std::string pixel_digest(const cv::Mat& bgr);
/// SHA-256 of the files of the chosen images; "" for the others. Errors: a file that cannot be
/// read; stopped_error().
std::vector<std::string> byte_digests(const std::vector<std::filesystem::path>& images,
                                      std::span<const std::size_t> chosen, int threads = 0,
                                      const std::stop_token& stop = {});
/// byte_digests() of those images whose short hash another one has, too, and "" for the others:
/// equal texts that are not empty are equal files. `short_hashes`: one for each image. Errors as
/// there.
std::vector<std::string> digests_of_equal(const std::vector<std::filesystem::path>& images,
                                          std::span<const std::string> short_hashes,
                                          int threads = 0, const std::stop_token& stop = {});
/// pixel_digest() of the chosen images, which are decoded whole; "" for the others, and for one
/// that cannot be decoded. Error: stopped_error().
std::vector<std::string> pixel_digests(const std::vector<std::filesystem::path>& images,
                                       std::span<const std::size_t> chosen, int threads = 0,
                                       const std::stop_token& stop = {});

}  // namespace yolov7::dataset::similarity
