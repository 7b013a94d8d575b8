// The kinds of faults: what is changed, and what must be said about it.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "core/file.hpp"
#include "image/codec/codec.hpp"
#include "tests/dataset/doctor/seeded_faults.hpp"
#include "tests/image/picture_fixture.hpp"

namespace yolov7::test {
namespace {

using Row = std::vector<double>;
using Plant = std::function<void(Item&, const CleanSet&, Random&)>;

/// Each row of the file by itself: written out by hand, not by the code that reads it back.
Plant each_row(const std::function<Row(double cx, double cy, double w, double h, double W,
                                       double H)>& change) {
  return [change](Item& item, const CleanSet&, Random&) {
    for (Row& row : item.rows) {
      Row four = change(row[1], row[2], row[3], row[4], item.width, item.height);
      four.insert(four.begin(), row[0]);
      row = four;
    }
  };
}

/// One row of the file.
Plant one_row(const std::function<void(Row& row, const Item& item, Random& random)>& change) {
  return [change](Item& item, const CleanSet&, Random& random) {
    const auto at = static_cast<std::size_t>(
        random.integer(0, static_cast<std::int64_t>(item.rows.size()) - 1));
    change(item.rows[at], item, random);
    item.lines = {static_cast<int>(at) + 1};
  };
}

/// A further row at the end of the file.
Plant further_row(
    const std::function<Row(const Item& item, const CleanSet& set, Random& random)>& make) {
  return [make](Item& item, const CleanSet& set, Random& random) {
    item.rows.push_back(make(item, set, random));
    item.lines = {static_cast<int>(item.rows.size())};
  };
}

Plant text_of_rows(const std::function<std::string(const Row& row, const CleanSet& set)>& write) {
  return [write](Item& item, const CleanSet& set, Random&) {
    for (const Row& row : item.rows) item.text += write(row, set) + "\n";
  };
}

cv::Mat pixels_of(const Item& item) { return read_picture(item.image); }

Plant picture(const std::function<cv::Mat(const cv::Mat& bgr, Random& random)>& change) {
  return [change](Item& item, const CleanSet&, Random& random) {
    item.bytes = encode_picture(item.suffix, change(pixels_of(item), random));
  };
}

Plant bytes(const std::function<void(Item& item, Random& random)>& change) {
  return [change](Item& item, const CleanSet&, Random& random) { change(item, random); };
}

Row random_old_row(const Item& item, Random& random) {
  return item.rows[static_cast<std::size_t>(
      random.integer(0, static_cast<std::int64_t>(item.rows.size()) - 1))];
}

std::vector<FaultKind> layouts() {
  const auto pixels = [](double cx, double cy, double w, double h, double W, double H) {
    return Row{cx * W, cy * H, w * W, h * H};
  };
  const auto percent = [](double cx, double cy, double w, double h, double, double) {
    return Row{cx * 100, cy * 100, w * 100, h * 100};
  };
  const auto corners = [](double cx, double cy, double w, double h, double, double) {
    return Row{cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2};
  };
  const auto pixel_corners = [](double cx, double cy, double w, double h, double W, double H) {
    return Row{(cx - w / 2) * W, (cy - h / 2) * H, (cx + w / 2) * W, (cy + h / 2) * H};
  };
  const auto top_left = [](double cx, double cy, double w, double h, double, double) {
    return Row{cx - w / 2, cy - h / 2, w, h};
  };
  const auto pixel_top_left = [](double cx, double cy, double w, double h, double W, double H) {
    return Row{(cx - w / 2) * W, (cy - h / 2) * H, w * W, h * H};
  };
  const auto axes = [](double cx, double cy, double w, double h, double, double) {
    return Row{cy, cx, h, w};
  };
  const auto sides = [](double cx, double cy, double w, double h, double, double) {
    return Row{cx, cy, h, w};
  };
  const auto size_first = [](double cx, double cy, double w, double h, double, double) {
    return Row{w, h, cx, cy};
  };
  const auto pairs = [](double cx, double cy, double w, double h, double, double) {
    return Row{cx - w / 2, cx + w / 2, cy - h / 2, cy + h / 2};
  };
  std::vector<FaultKind> kinds;
  for (const bool whole : {false, true}) {
    const auto add = [&](const char* name, const char* cause, auto change, std::size_t rows = 1) {
      kinds.push_back({fmt::format("{}{}", name, whole ? ", whole set" : ", by file"),
                       "other-layout", cause, whole, rows, each_row(change)});
    };
    add("pixels", "pixels for fractions", pixels);
    add("per cent", "per cent for fractions", percent);
    add("corners", "corners for centre and size", corners);
    add("corners in pixels", "pixels for fractions, corners for centre and size", pixel_corners);
    add("top left corner", "top left corner for centre", top_left, 3);
    add("top left corner in pixels", "pixels for fractions, top left corner for centre",
        pixel_top_left, 3);
    // A single file of these is told by its sizes and its image alone.
    add("axes exchanged", "axes exchanged", axes, 4);
    kinds.back().least_share = whole ? 1 : 0.5;
    add("sides exchanged", "width and height exchanged", sides, 4);
    kinds.back().least_share = whole ? 1 : 0.5;
    add("size first", "size before centre", size_first, 2);
    add("pairs of x and y", "corners as pairs of x and of y", pairs, 2);
  }
  return kinds;
}

std::vector<FaultKind> rows() {
  const auto counted_from_1 = [](Item& item, const CleanSet& set, Random&) {
    for (Row& row : item.rows) row[0] += 1;
    item.rows.front()[0] = static_cast<double>(set.classes.size());
  };
  std::vector<FaultKind> kinds = {
      {"classes from 1, by file", "unknown-class", "classes counted from 1", false, 1,
       counted_from_1},
      {"classes from 1, whole set", "classes-from-1", "classes counted from 1", true, 1,
       [](Item& item, const CleanSet&, Random&) {
         for (Row& row : item.rows) row[0] += 1;
       }},
      {"negative value", "out-of-range", "", false, 1,
       one_row([](Row& row, const Item&, Random& random) { row[1] = -random.uniform(0.01, 0.3); })},
      {"above 1", "out-of-range", "", false, 1, one_row([](Row& row, const Item&, Random& random) {
         row[2] = 1 + random.uniform(0.01, 0.3);
       })},
      {"above 1 by 1e-7 (no fault)", "", "", false, 1, one_row([](Row& row, const Item&, Random&) {
         row[1] = 1 - row[3] / 2 + 1e-7;
         row[3] = std::min(row[3], 0.2);
         row[1] = 1 - row[3] / 2 + 1e-7;
       })},
      {"out of the image", "outside-image", "", false, 1,
       one_row([](Row& row, const Item&, Random& random) {
         row[3] = std::max(row[3], 0.15);
         row[1] = random.uniform(0.01, 0.04);
       })},
      {"no area", "no-area", "", false, 1,
       one_row([](Row& row, const Item&, Random& random) { row[random.chance(0.5) ? 3 : 4] = 0; })},
      {"below 2 px", "tiny-box", "a side of 2 px or less", false, 1,
       further_row([](const Item&, const CleanSet&, Random& random) {
         return Row{0, random.uniform(0.2, 0.8), random.uniform(0.2, 0.8),
                    random.uniform(0.3, 1.9) / 640, random.uniform(3.0, 9.0) / 640};
       })},
      {"20 to 1 and more", "thin-box", "sides of 20 to 1 or more", false, 1,
       further_row([](const Item& item, const CleanSet&, Random& random) {
         const double longest = std::max(item.width, item.height), ratio = random.uniform(21, 100);
         const double w = random.uniform(0.5, 0.9) * item.width, h = w / ratio;
         return Row{0, 0.5, random.uniform(0.2, 0.8), w / item.width,
                    std::max(h, 2.5 * longest / 640 * 0 + h) / item.height};
       })},
      {"whole image", "whole-image", "", false, 1,
       further_row([](const Item&, const CleanSet&, Random&) {
         return Row{0, 0.5, 0.5, 0.99, 0.98};
       })},
      {"equal rows", "equal-rows", "", false, 1,
       further_row([](const Item& item, const CleanSet&, Random& random) {
         return random_old_row(item, random);
       })},
      {"box twice, IoU 0.97", "box-twice", "", false, 1,
       further_row([](const Item& item, const CleanSet&, Random& random) {
         Row row = random_old_row(item, random);
         row[3] *= 0.97;
         return row;
       })},
      {"two classes on a box", "two-classes", "", false, 1,
       further_row([](const Item& item, const CleanSet& set, Random& random) {
         Row row = random_old_row(item, random);
         const auto n = static_cast<std::int64_t>(set.classes.size());
         row[0] = static_cast<double>(
             (static_cast<std::int64_t>(row[0]) + random.integer(1, n - 1)) % n);
         return row;
       })},
      {"label file of another image", "copied-label", "", false, 2,
       [](Item& item, const CleanSet& set, Random& random) {
         for (;;) {
           const auto at = static_cast<std::size_t>(
               random.integer(0, static_cast<std::int64_t>(set.items.size()) - 1));
           const Item& other = set.items[at];
           if (set.chosen[at] || other.rows.size() < 2) continue;
           item.rows = other.rows;
           return;
         }
       }}};
  return kinds;
}

std::vector<FaultKind> texts() {
  const auto with = [](const Row& row, const char* format, char from, char to) {
    std::string line =
        fmt::format(fmt::runtime(format), static_cast<int>(row[0]), row[1], row[2], row[3], row[4]);
    std::replace(line.begin(), line.end(), from, to);
    return line;
  };
  return {
      {"decimal comma", "unreadable-row", "decimal comma", false, 1,
       text_of_rows([with](const Row& row, const CleanSet&) {
         return with(row, "{} {:.6f} {:.6f} {:.6f} {:.6f}", '.', ',');
       })},
      {"commas between columns", "unreadable-row", "commas between columns", false, 1,
       text_of_rows([with](const Row& row, const CleanSet&) {
         return with(row, "{} {:.6f} {:.6f} {:.6f} {:.6f}", ' ', ',');
       })},
      {"class name for number", "unreadable-row", "class name for class number", false, 1,
       text_of_rows([](const Row& row, const CleanSet& set) {
         return fmt::format("{} {:.6f} {:.6f} {:.6f} {:.6f}",
                            set.classes[static_cast<std::size_t>(row[0])], row[1], row[2], row[3],
                            row[4]);
       })},
      {"predictions for labels", "unreadable-row", "a score behind the box: a file of predictions",
       false, 1, text_of_rows([with](const Row& row, const CleanSet&) {
         return with(row, "{} {:.6f} {:.6f} {:.6f} {:.6f} 0.75", '#', '#');
       })},
      {"no class", "unreadable-row", "no class in front of the box", false, 1,
       text_of_rows([](const Row& row, const CleanSet&) {
         return fmt::format("{:.6f} {:.6f} {:.6f} {:.6f}", row[1], row[2], row[3], row[4]);
       })},
      {"not finite", "unreadable-row", "", false, 1,
       text_of_rows([](const Row& row, const CleanSet&) {
         return fmt::format("{} nan {:.6f} {:.6f} {:.6f}", static_cast<int>(row[0]), row[2], row[3],
                            row[4]);
       })}};
}

cv::Mat blurred(const cv::Mat& bgr, double sigma) {
  cv::Mat out;
  cv::GaussianBlur(bgr, out, {}, sigma);
  return out;
}

cv::Mat scaled(const cv::Mat& bgr, double gain, double offset) {
  cv::Mat out;
  bgr.convertTo(out, -1, gain, offset);
  return out;
}

std::string cmyk_jpeg(const cv::Mat& bgr) {
  cv::Mat samples(bgr.size(), CV_8UC4);
  for (int y = 0; y < bgr.rows; ++y)
    for (int x = 0; x < bgr.cols; ++x) {
      const auto& p = bgr.at<cv::Vec3b>(y, x);
      samples.at<cv::Vec4b>(y, x) = {p[2], p[1], p[0], 255};  // inverted, as Adobe stores it
    }
  fixture::JpegOptions options;
  options.components = 4;
  return fixture::jpeg_of(samples, options);
}

std::string png_of_16_bits(const cv::Mat& bgr) {
  std::vector<std::string> lines;
  for (int y = 0; y < bgr.rows; ++y) {
    std::string& line = lines.emplace_back();
    for (int x = 0; x < bgr.cols; ++x)
      for (const int c : {2, 1, 0})
        line += std::string(2, static_cast<char>(bgr.at<cv::Vec3b>(y, x)[c]));
  }
  fixture::PngOptions options;
  options.bits = 16;
  return fixture::png_of(bgr.cols, bgr.rows, lines, options);
}

std::vector<FaultKind> pictures() {
  const auto cut_to = [](double share) {
    return bytes([share](Item& item, Random&) {
      const std::string whole = file::read(item.image);
      item.bytes =
          whole.substr(0, static_cast<std::size_t>(share * static_cast<double>(whole.size())));
    });
  };
  return {
      {"cut to 30 %", "broken-image", "", false, 0, cut_to(0.3)},
      {"cut to 90 %", "broken-image", "", false, 0, cut_to(0.9)},
      {"empty file", "broken-image", "", false, 0,
       bytes([](Item& item, Random&) { item.bytes = "\n"; })},
      {"wrong suffix", "wrong-suffix", "", false, 0, bytes([](Item& item, Random&) {
         item.bytes = file::read(item.image);
         item.suffix = ".png";
       })},
      {"EXIF 2 to 8", "turned-image", "", false, 0, bytes([](Item& item, Random& random) {
         item.bytes = fixture::jpeg_with_exif(
             file::read(item.image),
             fixture::exif_block(static_cast<int>(random.integer(2, 8)), true));
       })},
      {"CMYK", "odd-storage", "", false, 0,
       bytes([](Item& item, Random&) { item.bytes = cmyk_jpeg(pixels_of(item)); })},
      {"16 bits", "odd-storage", "", false, 0, bytes([](Item& item, Random&) {
         item.bytes = png_of_16_bits(pixels_of(item));
         item.suffix = ".png";
       })},
      {"constant", "constant-image", "", false, 0, picture([](const cv::Mat& bgr, Random& random) {
         return cv::Mat(bgr.size(), CV_8UC3, cv::Scalar::all(random.uniform(0, 255)));
       })},
      {"blur, sigma 3", "blurred-image", "", false, 0,
       picture([](const cv::Mat& bgr, Random&) { return blurred(bgr, 3); })},
      {"blur, sigma 6", "blurred-image", "", false, 0,
       picture([](const cv::Mat& bgr, Random&) { return blurred(bgr, 6); })},
      {"a fifth of the light", "dark-image", "", false, 0,
       picture([](const cv::Mat& bgr, Random&) { return scaled(bgr, 0.2, 0); })},
      {"overexposed", "bright-image", "", false, 0,
       picture([](const cv::Mat& bgr, Random&) {  // most of the image is white
         std::vector<cv::Mat> channels;
         cv::split(bgr, channels);
         cv::Mat darkest = cv::min(cv::min(channels[0], channels[1]), channels[2]);
         cv::Mat gray = darkest.reshape(1, 1);
         cv::sort(gray, gray, cv::SORT_EVERY_ROW | cv::SORT_ASCENDING);
         const double third = gray.at<unsigned char>(0, gray.cols / 3);
         return scaled(bgr, 270 / std::max(1.0, third), 0);
       })},
      {"gray levels that deviate by 2.5", "low-contrast", "", false, 0,
       picture([](const cv::Mat& bgr, Random&) {
         cv::Mat gray;
         cv::Scalar mean, deviation;
         cv::cvtColor(bgr, gray, cv::COLOR_BGR2GRAY);
         cv::meanStdDev(gray, mean, deviation);
         const double gain = 2.5 / deviation[0];
         return scaled(bgr, gain, 120 - gain * mean[0]);
       })},
      {"gray", "gray-image", "", false, 0, picture([](const cv::Mat& bgr, Random&) {
         cv::Mat gray, out;
         cv::cvtColor(bgr, gray, cv::COLOR_BGR2GRAY);
         cv::cvtColor(gray, out, cv::COLOR_GRAY2BGR);
         return out;
       })}};
}

}  // namespace

const std::vector<FaultKind>& fault_kinds() {
  static const std::vector<FaultKind> all = [] {
    std::vector<FaultKind> kinds = layouts();
    for (auto more : {rows(), texts(), pictures()})
      kinds.insert(kinds.end(), more.begin(), more.end());
    return kinds;
  }();
  return all;
}

}  // namespace yolov7::test
