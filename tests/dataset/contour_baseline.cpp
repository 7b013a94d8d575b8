#include "tests/dataset/contour_baseline.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace yolov7::test {

using dataset::Shape;

namespace {

using Contour = std::vector<cv::Point>;

struct Guess {
  Shape shape = Shape::circle;
  double certainty = 0;
};

/// Corners after simplification, share of the convex hull that is filled, roundness 4π·area /
/// perimeter².
Guess classify(const Contour& contour, double hole_share) {
  if (hole_share > 0.2 && hole_share < 0.55) return {Shape::ring, 0.9};
  const double area = cv::contourArea(contour), length = cv::arcLength(contour, true);
  Contour simple, hull;
  cv::approxPolyDP(contour, simple, 0.03 * length, true);
  cv::convexHull(contour, hull);
  const double solidity = area / std::max(1.0, cv::contourArea(hull)),
               roundness = 4 * CV_PI * area / (length * length);
  const auto corners = simple.size();
  if (solidity > 0.9) {
    if (corners == 3) return {Shape::triangle, 0.9};
    if (corners == 4) return {Shape::square, 0.85};
    if (corners == 6 && roundness < 0.86) return {Shape::hexagon, 0.7};
    return {Shape::circle, roundness};
  }
  if (corners >= 11 && corners <= 13 && solidity > 0.6) return {Shape::cross, 0.85};
  if (corners >= 9 && corners <= 11 && solidity < 0.65) return {Shape::star, 0.85};
  if (solidity < 0.62) return {Shape::star, 0.5};
  if (corners <= 8 && solidity > 0.65) return {Shape::crescent, 0.6};
  return {Shape::cross, 0.4};
}

void add_contours(const cv::Mat& binary, const std::vector<Shape>& shapes,
                  std::vector<Detection>& found) {
  std::vector<Contour> contours;
  std::vector<cv::Vec4i> tree;
  cv::findContours(binary, contours, tree, cv::RETR_CCOMP, cv::CHAIN_APPROX_NONE);
  const double longer = std::max(binary.cols, binary.rows);
  for (std::size_t i = 0; i < contours.size(); ++i) {
    if (tree[i][3] >= 0) continue;  // a hole
    const cv::Rect box = cv::boundingRect(contours[i]);
    const double side = std::max(box.width, box.height), area = cv::contourArea(contours[i]);
    if (side < 0.025 * longer || side > 0.65 * longer || area < 0.2 * box.area()) continue;
    double hole = 0;
    for (int k = tree[i][2]; k >= 0; k = tree[static_cast<std::size_t>(k)][0])
      hole = std::max(hole, cv::contourArea(contours[static_cast<std::size_t>(k)]));
    const Guess guess = classify(contours[i], hole / area);
    const auto position = std::find(shapes.begin(), shapes.end(), guess.shape);
    if (position == shapes.end()) continue;
    Detection d;
    d.box = {static_cast<double>(box.x), static_cast<double>(box.y),
             static_cast<double>(box.br().x), static_cast<double>(box.br().y)};
    d.class_index = static_cast<int>(position - shapes.begin());
    d.score = static_cast<float>(guess.certainty);
    found.push_back(d);
  }
}

/// What several thresholds agree on is worth more.
void add_votes(std::vector<Detection>& found) {
  std::vector<float> scores;
  for (const Detection& d : found) {
    float score = 0;
    for (const Detection& other : found)
      if (other.class_index == d.class_index && iou(other.box, d.box) > 0.8) score += other.score;
    scores.push_back(score);
  }
  for (std::size_t i = 0; i < found.size(); ++i) found[i].score = scores[i];
}

std::vector<Detection> best_of_overlapping(std::vector<Detection> found) {
  std::stable_sort(found.begin(), found.end(),
                   [](const Detection& a, const Detection& b) { return a.score > b.score; });
  std::vector<Detection> kept;
  for (const Detection& d : found)
    if (std::none_of(kept.begin(), kept.end(),
                     [&](const Detection& k) { return iou(k.box, d.box) > 0.5; }))
      kept.push_back(d);
  return kept;
}

double average_precision(std::vector<std::pair<float, bool>> hits, std::size_t positives) {
  std::stable_sort(hits.begin(), hits.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<double> precision;
  std::vector<std::size_t> true_count;
  std::size_t right = 0;
  for (std::size_t i = 0; i < hits.size(); ++i) {
    right += hits[i].second;
    true_count.push_back(right);
    precision.push_back(static_cast<double>(right) / static_cast<double>(i + 1));
  }
  double area = 0, envelope = 0;
  for (std::size_t i = hits.size(); i-- > 0;) {
    envelope = std::max(envelope, precision[i]);
    const std::size_t before = i == 0 ? 0 : true_count[i - 1];
    area += envelope * static_cast<double>(true_count[i] - before) / static_cast<double>(positives);
  }
  return area;
}

}  // namespace

std::vector<Detection> find_shapes(const cv::Mat& bgr, const std::vector<Shape>& shapes) {
  cv::Mat smooth, gray, hsv;
  cv::medianBlur(bgr, smooth, 5);
  cv::cvtColor(smooth, gray, cv::COLOR_BGR2GRAY);
  cv::cvtColor(smooth, hsv, cv::COLOR_BGR2HSV);
  std::vector<cv::Mat> planes;
  cv::split(smooth, planes);
  cv::Mat saturation;
  cv::extractChannel(hsv, saturation, 1);
  planes.push_back(gray);
  planes.push_back(saturation);
  std::vector<Detection> found;
  const int block = std::max(bgr.cols, bgr.rows) / 4 | 1;
  for (const cv::Mat& plane : planes)
    for (const int polarity : {cv::THRESH_BINARY, cv::THRESH_BINARY_INV}) {
      cv::Mat binary;
      cv::threshold(plane, binary, 0, 255, polarity | cv::THRESH_OTSU);
      add_contours(binary, shapes, found);
      cv::adaptiveThreshold(plane, binary, 255, cv::ADAPTIVE_THRESH_MEAN_C, polarity, block,
                            polarity == cv::THRESH_BINARY ? -12 : 12);
      add_contours(binary, shapes, found);
    }
  add_votes(found);
  return best_of_overlapping(std::move(found));
}

double map50(const std::vector<std::vector<Detection>>& detections,
             const std::vector<std::vector<Detection>>& truths, int classes) {
  double sum = 0;
  for (int c = 0; c < classes; ++c) {
    std::vector<std::pair<float, bool>> hits;
    std::size_t positives = 0;
    for (std::size_t i = 0; i < truths.size(); ++i) {
      std::vector<const Detection*> open;
      for (const Detection& t : truths[i])
        if (t.class_index == c) open.push_back(&t);
      positives += open.size();
      std::vector<Detection> mine;
      for (const Detection& d : detections[i])
        if (d.class_index == c) mine.push_back(d);
      std::stable_sort(mine.begin(), mine.end(),
                       [](const Detection& a, const Detection& b) { return a.score > b.score; });
      for (const Detection& d : mine) {
        const auto best =
            std::max_element(open.begin(), open.end(), [&](const Detection* a, const Detection* b) {
              return iou(a->box, d.box) < iou(b->box, d.box);
            });
        const bool hit = best != open.end() && iou((*best)->box, d.box) >= 0.5;
        if (hit) open.erase(best);
        hits.emplace_back(d.score, hit);
      }
    }
    if (positives > 0) sum += average_precision(std::move(hits), positives);
  }
  return sum / classes;
}

}  // namespace yolov7::test
