#include "image/drawing/contact_sheet.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/stop.hpp"
#include "image/codec/codec.hpp"
#include "image/drawing/code_points.hpp"

namespace yolov7 {
namespace {

constexpr int border = 3, longest_side = 640, sheet_side = 1280;
constexpr std::size_t caption_characters = 40;

struct Grid {
  int rows = 1, columns = 1;
  int inner() const {
    return std::min(longest_side, sheet_side / rows - 2 * border);
  }  // rows >= columns
};

Grid grid_of(std::size_t count) {
  if (count == 0) throw Error("contact sheet: expected at least 1 image, found none");
  Grid grid;
  while (static_cast<std::size_t>(grid.rows) * static_cast<std::size_t>(grid.rows) < count)
    ++grid.rows;
  grid.columns = (static_cast<int>(count) + grid.rows - 1) / grid.rows;
  return grid;
}

cv::Mat reduced(const cv::Mat& picture, const Grid& grid) {
  if (picture.empty() || picture.type() != CV_8UC3)
    throw Error(fmt::format(
        "contact sheet: expected 8-bit images of 3 channels, found {} x {} px, {} channels",
        picture.cols, picture.rows, picture.channels()));
  const double scale =
      std::min(1.0, static_cast<double>(grid.inner()) / std::max(picture.cols, picture.rows));
  if (scale == 1) return picture.clone();
  cv::Mat small;
  cv::resize(picture, small,
             cv::Size(std::max(1, static_cast<int>(picture.cols * scale)),
                      std::max(1, static_cast<int>(picture.rows * scale))),
             0, 0, cv::INTER_AREA);
  return small;
}

std::string first_characters(const std::string& text) {
  return utf8(whole_start(code_points(text), caption_characters));
}

cv::Mat assemble(const std::vector<cv::Mat>& pictures, const Grid& grid) {
  cv::Size cell;
  for (const cv::Mat& picture : pictures) {
    cell.width = std::max(cell.width, picture.cols + 2 * border);
    cell.height = std::max(cell.height, picture.rows + 2 * border);
  }
  cv::Mat sheet(cell.height * grid.rows, cell.width * grid.columns, CV_8UC3, cv::Scalar::all(255));
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    const int column = static_cast<int>(i) / grid.rows, row = static_cast<int>(i) % grid.rows;
    const cv::Point corner(column * cell.width + border, row * cell.height + border);
    cv::Mat inner = sheet(cv::Rect(corner, pictures[i].size()));
    pictures[i].copyTo(inner);
  }
  return sheet;
}

/// Empty where there is no title.
Caption title_of(const cv::Mat& picture, const std::string& title) {
  return title.empty() ? Caption{}
                       : place_caption(first_characters(title), "", {}, picture.size(), 1);
}

void draw_title(cv::Mat& picture, const Caption& title) {
  if (!title.text.empty()) draw_caption(picture, title, cv::Scalar::all(40), cv::Scalar::all(220));
}

}  // namespace

cv::Mat contact_sheet(std::span<const cv::Mat> pictures, std::span<const std::string> captions) {
  const std::size_t count = std::min(pictures.size(), contact_sheet_pictures);
  const Grid grid = grid_of(count);
  std::vector<cv::Mat> small;
  for (std::size_t i = 0; i < count; ++i) {
    small.push_back(reduced(pictures[i], grid));
    if (i < captions.size()) draw_title(small.back(), title_of(small.back(), captions[i]));
  }
  return assemble(small, grid);
}

cv::Mat contact_sheet(std::span<const SheetPicture> pictures, std::span<const std::string> names,
                      const DrawOptions& options) {
  const std::size_t count = std::min(pictures.size(), contact_sheet_pictures);
  const Grid grid = grid_of(count);
  std::vector<cv::Mat> small;
  for (std::size_t i = 0; i < count; ++i) {
    const SheetPicture& one = pictures[i];
    small.push_back(reduced(one.picture, grid));
    const double sx = static_cast<double>(small.back().cols) / one.picture.cols;
    const double sy = static_cast<double>(small.back().rows) / one.picture.rows;
    std::vector<Detection> scaled = one.detections;
    for (Detection& d : scaled)
      d.box = {d.box.x1 * sx, d.box.y1 * sy, d.box.x2 * sx, d.box.y2 * sy};
    const Caption title = title_of(small.back(), one.caption);
    DrawOptions below = options;
    below.reserved = title.background;
    draw_detections(small.back(), scaled, names, below);
    draw_title(small.back(), title);
  }
  return assemble(small, grid);
}

std::size_t write_contact_sheets(const std::filesystem::path& folder, std::size_t count,
                                 const std::function<SheetPicture(std::size_t)>& picture,
                                 std::span<const std::string> names, const DrawOptions& options,
                                 const std::stop_token& stop) {
  constexpr int quality = 90;
  file::make_folder(folder);
  std::size_t sheets = 0;
  for (std::size_t first = 0; first < count; first += contact_sheet_pictures) {
    check_stop(stop);
    std::vector<SheetPicture> pictures;
    for (std::size_t i = first; i < std::min(count, first + contact_sheet_pictures); ++i)
      pictures.push_back(picture(i));
    write_picture(folder / fmt::format("sheet_{:04}.jpg", ++sheets),
                  contact_sheet(pictures, names, options), quality, file::Sync::later);
  }
  return sheets;
}

}  // namespace yolov7
