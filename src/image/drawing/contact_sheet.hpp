#pragma once
// Many pictures in one (evaluation 1.15), to look at labels and predictions.
#include <cstddef>
#include <filesystem>
#include <functional>
#include <opencv2/core/mat.hpp>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "image/drawing/draw.hpp"

namespace yolov7 {

inline constexpr std::size_t contact_sheet_pictures = 16;

/// The first 16 pictures (8-bit, 3 channels) in ⌈√n⌉ rows, column by column, each reduced so that
/// its long side is at most 640 px and the sheet at most 1280 × 1280 px; white background and
/// borders. The first 40 characters of a picture's caption stand in its upper left corner; missing
/// or empty captions are left out. Error: no picture.
cv::Mat contact_sheet(std::span<const cv::Mat> pictures, std::span<const std::string> captions);

struct SheetPicture {
  cv::Mat picture;
  std::vector<Detection> detections;  ///< in pixels of `picture`
  std::string caption;
};

/// The same with boxes, drawn after the reduction so that they and their captions stay readable.
cv::Mat contact_sheet(std::span<const SheetPicture> pictures, std::span<const std::string> names,
                      const DrawOptions& options);

/// `count` images as sheet_0001.jpg, sheet_0002.jpg, … of 16 in `folder`, which is made; returns
/// the number of sheets. `picture(i)` is asked for one sheet at a time. Errors: a file that cannot
/// be written, stopped_error(), what `picture` reports.
std::size_t write_contact_sheets(const std::filesystem::path& folder, std::size_t count,
                                 const std::function<SheetPicture(std::size_t)>& picture,
                                 std::span<const std::string> names, const DrawOptions& options,
                                 const std::stop_token& stop = {});

}  // namespace yolov7
