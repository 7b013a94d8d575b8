// Detection of yolov7.h.
#include <algorithm>
#include <iterator>
#include <memory>
#include <span>
#include <utility>

#include "bindings/handles.hpp"
#include "bindings/images.hpp"
#include "core/log.hpp"
#include "image/codec/codec.hpp"
#include "image/drawing/draw.hpp"
#include "runtime/detect.hpp"
#include "runtime/detect_all.hpp"

namespace {

using namespace yolov7::bindings;
using yolov7::Error;
using yolov7::usage_error;

/// Images that go through the network together: a batch of any number would need memory for all,
/// and a network is compiled for each number.
constexpr std::size_t most_at_once = 16;

yolov7_detect_options default_options() {
  const yolov7::runtime::LookOptions look;
  return {0, 0, -1, -1, look.nms.max_det, 0, nullptr, 0, 0, look.tile_overlap};
}

void require_share(double value, const char* what) {
  if (!(value >= 0 && value <= 1))
    throw usage_error(fmt::format("{}: expected 0 to 1, found {}", what, value));
}

yolov7::runtime::LookOptions look_options(yolov7_model& model, const yolov7_detect_options& given) {
  yolov7::runtime::LookOptions options;
  const int wanted = given.image_size == 0 ? model.open.image_size : given.image_size;
  if (wanted < 1 || wanted > yolov7::runtime::longest_input_side)
    throw usage_error(fmt::format("image_size: expected 0 to {}, found {}",
                                  yolov7::runtime::longest_input_side, given.image_size));
  // Not a number is no wish for the default: require_share() names it.
  const auto threshold = [](double value, double of_file, double& out) {
    if (!(value < 0))
      out = value;
    else if (of_file >= 0)
      out = of_file;
  };
  yolov7::NmsOptions& nms = options.nms;
  threshold(given.conf_thres, model.open.wanted_conf_thres, nms.conf_thres);
  threshold(given.iou_thres, model.open.wanted_iou_thres, nms.iou_thres);
  require_share(nms.conf_thres, "conf_thres");
  require_share(nms.iou_thres, "iou_thres");
  std::vector<std::string> named;
  if (given.image_size > 0) named.emplace_back("img-size");
  if (given.conf_thres >= 0) named.emplace_back("conf-thres");
  if (given.iou_thres >= 0) named.emplace_back("iou-thres");
  yolov7::api::require_agreement(model.open, wanted, nms, named);
  if (wanted != model.wanted_size) {
    model.used_size = yolov7::api::usable_image_size(wanted, *model.open.detector);
    model.wanted_size = wanted;
  }
  options.image_size = model.used_size;
  if (given.max_det < 1)
    throw usage_error(fmt::format("max_det: expected 1 or more, found {}", given.max_det));
  nms.max_det = given.max_det;
  nms.agnostic = given.agnostic != 0;
  if (given.classes != nullptr) {
    if (given.class_count == 0)
      throw usage_error("class_count: expected the number of classes to look for, found 0");
    nms.classes.assign(given.classes, given.classes + given.class_count);
  }
  if (given.tile < 0)
    throw usage_error(fmt::format("tile: expected 0 or more, found {}", given.tile));
  options.tile = given.tile;
  options.tile_overlap = given.tile_overlap;
  return options;
}

/// `name`: of a single image; the others are told by their numbers, from 0 on.
std::unique_ptr<yolov7_results> results_of(const std::vector<cv::Mat>& images,
                                           const std::vector<yolov7::runtime::DetectResult>& found,
                                           const std::string& name) {
  auto results = std::make_unique<yolov7_results>();
  for (std::size_t i = 0; i < found.size(); ++i) {
    const std::string which = name.empty() ? fmt::format("image {}", i) : name;
    if (found[i].nothing_finite())
      throw Error(
          fmt::format("{}: none of the network's {} rows is finite, so nothing is "
                      "known of this image",
                      which, found[i].rows));
    if (found[i].dropped_not_finite > 0)
      yolov7::log::warning(fmt::format("{}: {} of {} rows are not finite and are left out", which,
                                       found[i].dropped_not_finite, found[i].rows));
    yolov7_results::Image one;
    one.width = images[i].cols, one.height = images[i].rows;
    one.timing = found[i].timing;
    for (const yolov7::Detection& d : found[i].detections)
      one.boxes.push_back({d.box.x1, d.box.y1, d.box.x2, d.box.y2, d.score, d.class_index});
    results->images.push_back(std::move(one));
  }
  return results;
}

yolov7_results* detected(yolov7_model* handle, const std::vector<cv::Mat>& images,
                         const yolov7_detect_options* options, const std::string& name = "") {
  yolov7_model& model = required(handle, "model");
  const auto given = over_defaults(options, default_options(), "yolov7_detect_options");
  const std::scoped_lock lock(model.mutex);
  const yolov7::runtime::LookOptions look = look_options(model, given);
  std::vector<yolov7::runtime::DetectResult> found;
  for (std::size_t from = 0; from < images.size(); from += most_at_once) {
    const auto part = std::span(images).subspan(from, std::min(most_at_once, images.size() - from));
    std::ranges::move(yolov7::runtime::detect_all(*model.open.detector, part, look, model.buffers),
                      std::back_inserter(found));
  }
  return results_of(images, found, name).release();
}

const yolov7_results::Image* image_of(const yolov7_results* results, std::size_t image) {
  return results != nullptr && image < results->images.size() ? &results->images[image] : nullptr;
}

}  // namespace

void yolov7_detect_options_init_sized(yolov7_detect_options* options, size_t size) {
  init(options, size, default_options());
}

int yolov7_detect(yolov7_model* model, const yolov7_image* images, size_t count,
                  const yolov7_detect_options* options, yolov7_results** results,
                  yolov7_error** error) {
  return guarded(error, [&] {
    required(results, "results");
    std::vector<cv::Mat> all;
    for (std::size_t i = 0; i < count; ++i) all.push_back(bgr_of((&required(images, "images"))[i]));
    *results = detected(model, all, options);
  });
}

int yolov7_detect_file(yolov7_model* model, const char* path, const yolov7_detect_options* options,
                       yolov7_results** results, yolov7_error** error) {
  return guarded(error, [&] {
    required(results, "results");
    *results = detected(model, {read(&required(path, "path"))}, options, path);
  });
}

int yolov7_detect_encoded(yolov7_model* model, const void* bytes, size_t length, const char* name,
                          const yolov7_detect_options* options, yolov7_results** results,
                          yolov7_error** error) {
  return guarded(error, [&] {
    required(results, "results");
    *results = detected(model, {decoded(bytes, length, name)}, options, text_or(name, "image"));
  });
}

size_t yolov7_results_count(const yolov7_results* results) {
  return results == nullptr ? 0 : results->images.size();
}

const yolov7_box* yolov7_results_boxes(const yolov7_results* results, size_t image, size_t* count) {
  const yolov7_results::Image* one = image_of(results, image);
  const std::size_t boxes = one == nullptr ? 0 : one->boxes.size();
  if (count != nullptr) *count = boxes;
  return boxes == 0 ? nullptr : one->boxes.data();
}

int yolov7_results_image_size(const yolov7_results* results, size_t image, int* width,
                              int* height) {
  const yolov7_results::Image* one = image_of(results, image);
  if (one == nullptr || width == nullptr || height == nullptr) return 2;
  *width = one->width, *height = one->height;
  return 0;
}

int yolov7_results_times(const yolov7_results* results, size_t image, double* pre,
                         double* inference, double* post) {
  const yolov7_results::Image* one = image_of(results, image);
  if (one == nullptr || pre == nullptr || inference == nullptr || post == nullptr) return 2;
  *pre = one->timing.pre, *inference = one->timing.inference, *post = one->timing.post;
  return 0;
}
void yolov7_results_free(yolov7_results* results) { delete results; }

int yolov7_results_draw(const yolov7_results* results, size_t image, const yolov7_model* model,
                        const yolov7_image* pixels, unsigned char* bgr, yolov7_error** error) {
  return guarded(error, [&] {
    const yolov7_results::Image* one = image_of(&required(results, "results"), image);
    if (one == nullptr)
      throw usage_error(
          fmt::format("image: expected less than {}, found {}", results->images.size(), image));
    const cv::Mat given = bgr_of(required(pixels, "pixels"));
    if (given.cols != one->width || given.rows != one->height)
      throw usage_error(
          fmt::format("pixels: expected the image of the result, {} x {}, found {} "
                      "x {}",
                      one->width, one->height, given.cols, given.rows));
    const std::vector<std::string>& names = required(model, "model").open.names;
    cv::Mat out(given.rows, given.cols, CV_8UC3, &required(bgr, "bgr"));
    given.copyTo(out);
    std::vector<yolov7::Detection> boxes;
    for (const yolov7_box& b : one->boxes)
      boxes.push_back({{b.x1, b.y1, b.x2, b.y2}, b.score, b.class_index});
    yolov7::draw_detections(out, boxes, names, {});
  });
}
