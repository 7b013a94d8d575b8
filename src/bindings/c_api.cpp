// The C interface (include/yolov7/yolov7.h) over the modules. No exception leaves it.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>
#include <new>
#include <opencv2/imgproc.hpp>
#include <utility>
#include <vector>

#include "api/model.hpp"
#include "api/video_library.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/version.hpp"
#include "image/codec/codec.hpp"
#include "runtime/detect_all.hpp"
#include "yolov7/yolov7.h"

struct yolov7_error {
  std::string message;
  int code = 0;
};

struct yolov7_model {
  yolov7::api::OpenModel open;
  std::string description;
  std::mutex mutex;  ///< of detector and buffers
  yolov7::runtime::DetectBuffers buffers;
};

struct yolov7_results {
  struct Image {
    std::vector<yolov7_box> boxes;
    int width = 0, height = 0;
    yolov7::runtime::DetectTiming timing;
  };
  std::vector<Image> images;
};

namespace {

using yolov7::Error;
using yolov7::usage_error;

int failed(yolov7_error** out, const char* message, int code) noexcept {
  if (out == nullptr) return code;
  try {
    *out = new yolov7_error{message, code};
  } catch (...) {
    *out = nullptr;  // not even memory for the message
  }
  return code;
}

template <class Action>
int guarded(yolov7_error** error, const Action& action) noexcept {
  try {
    action();
    return 0;
  } catch (const Error& e) {
    return failed(error, e.what(), static_cast<int>(e.code()));
  } catch (const std::bad_alloc&) {
    return failed(error, "not enough memory", 1);
  } catch (const std::exception& e) {
    return failed(error, e.what(), 1);
  } catch (...) {
    return failed(error, "unknown error", 1);
  }
}

template <class Handle>
Handle& required(Handle* handle, const char* what) {
  if (handle == nullptr) throw usage_error(fmt::format("{}: expected a handle, found NULL", what));
  return *handle;
}

/// The caller's struct, of this or of an earlier header, over the defaults.
template <class Struct>
Struct over_defaults(const Struct* given, void (*init)(Struct*), const char* what) {
  Struct own;
  init(&own);
  if (given == nullptr) return own;
  // A struct of a later header begins with all that is known here; what it adds is unknown.
  if (given->size < sizeof(std::size_t) || given->size > sizeof own)
    throw usage_error(fmt::format("{}: size: expected {} to {}, which {}_init() sets, found {}",
                                  what, sizeof(std::size_t), sizeof own, what, given->size));
  std::memcpy(&own, given, given->size);
  own.size = sizeof own;
  return own;
}

template <class Struct>
void fill_in(Struct* out, Struct values, const char* what) {
  if (out == nullptr || out->size < sizeof(std::size_t))
    throw usage_error(
        fmt::format("{}: expected a struct that {}_init() has filled in", what, what));
  const std::size_t size = std::min(out->size, sizeof values);
  values.size = out->size;
  std::memcpy(out, &values, size);
}

std::string text_or(const char* given, const char* instead) {
  return given == nullptr ? instead : given;
}

class CallbackSink final : public yolov7::log::Sink {
 public:
  CallbackSink(int lowest, yolov7_log_function function, void* context)
      : lowest_(lowest), function_(function), context_(context) {}
  bool wants(yolov7::log::Level level) const override {
    return static_cast<int>(level) >= lowest_ && level != yolov7::log::Level::silent;
  }
  void write(yolov7::log::Level level, std::string_view text) override {
    function_(static_cast<int>(level), std::string(text).c_str(), context_);
  }

 private:
  int lowest_;
  yolov7_log_function function_;
  void* context_;
};
static_assert(static_cast<int>(yolov7::log::Level::debug) == YOLOV7_LOG_DEBUG);
static_assert(static_cast<int>(yolov7::log::Level::error) == YOLOV7_LOG_ERROR);

yolov7::api::ModelOptions model_options(const char* path, const yolov7_model_options& given) {
  yolov7::api::ModelOptions options;
  options.weights = {path};
  options.backend = text_or(given.backend, "openvino");
  options.names = text_or(given.names, "");
  options.detector.precision = text_or(given.precision, "float32");
  if (options.detector.precision != "float32" && options.detector.precision != "bfloat16")
    throw usage_error(fmt::format("precision: expected float32 or bfloat16, found '{}'",
                                  options.detector.precision));
  if (given.threads < 0)
    throw usage_error(fmt::format("threads: expected 0 or more, found {}", given.threads));
  options.detector.threads = given.threads;
  options.augment = given.augment != 0;
  return options;
}

void require_share(double value, const char* what) {
  if (!(value >= 0 && value <= 1))
    throw usage_error(fmt::format("{}: expected 0 to 1, found {}", what, value));
}

yolov7::runtime::LookOptions look_options(const yolov7_model& model,
                                          const yolov7_detect_options& given) {
  yolov7::runtime::LookOptions options;
  const int wanted = given.image_size == 0 ? model.open.image_size : given.image_size;
  if (wanted < 1 || wanted > 65536)
    throw usage_error(fmt::format("image_size: expected 0 to 65536, found {}", given.image_size));
  options.image_size = yolov7::api::usable_image_size(wanted, *model.open.detector);
  const auto threshold = [](double value, double of_file, double& out) {
    if (value >= 0)
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

int channels_of(int format) {
  switch (format) {
    case YOLOV7_BGR:
    case YOLOV7_RGB: return 3;
    case YOLOV7_GRAY: return 1;
    case YOLOV7_BGRA:
    case YOLOV7_RGBA: return 4;
    default:
      throw usage_error(
          fmt::format("format: expected 0 to 4 (yolov7_pixel_format), found {}", format));
  }
}

/// 8 bit, B G R; over the caller's memory where that is what it holds.
cv::Mat bgr_of(const yolov7_image& image) {
  if (image.pixels == nullptr) throw usage_error("pixels: expected an image, found NULL");
  if (image.width < 1 || image.height < 1 || image.width > 65535 || image.height > 65535)
    throw usage_error(fmt::format("image: expected 1 to 65535 pixels a side, found {} x {}",
                                  image.width, image.height));
  const int channels = channels_of(image.format);
  const std::size_t row =
      static_cast<std::size_t>(image.width) * static_cast<std::size_t>(channels);
  if (image.stride != 0 && image.stride < row)
    throw usage_error(fmt::format("stride: expected 0 or at least the {} bytes of a row, found {}",
                                  row, image.stride));
  // OpenCV has no type for pixels that are only read.
  const cv::Mat given(image.height, image.width, CV_8UC(channels),
                      const_cast<unsigned char*>(image.pixels),
                      image.stride == 0 ? row : image.stride);
  if (image.format == YOLOV7_BGR) return given;
  const int conversion = image.format == YOLOV7_RGB    ? cv::COLOR_RGB2BGR
                         : image.format == YOLOV7_GRAY ? cv::COLOR_GRAY2BGR
                         : image.format == YOLOV7_BGRA ? cv::COLOR_BGRA2BGR
                                                       : cv::COLOR_RGBA2BGR;
  cv::Mat bgr;
  cv::cvtColor(given, bgr, conversion);
  return bgr;
}

std::unique_ptr<yolov7_results> results_of(
    const std::vector<cv::Mat>& images, const std::vector<yolov7::runtime::DetectResult>& found) {
  auto results = std::make_unique<yolov7_results>();
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i].nothing_finite())
      throw Error(
          fmt::format("image {}: none of the network's {} rows is finite, so nothing is "
                      "known of this image",
                      i, found[i].rows));
    if (found[i].dropped_not_finite > 0)
      yolov7::log::warning(fmt::format("image {}: {} of {} rows are not finite and are left out", i,
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
                         const yolov7_detect_options* options) {
  yolov7_model& model = required(handle, "model");
  const auto given = over_defaults(options, yolov7_detect_options_init, "yolov7_detect_options");
  const std::scoped_lock lock(model.mutex);
  return results_of(images, yolov7::runtime::detect_all(*model.open.detector, images,
                                                        look_options(model, given), model.buffers))
      .release();
}

const yolov7_results::Image* image_of(const yolov7_results* results, std::size_t image) {
  return results != nullptr && image < results->images.size() ? &results->images[image] : nullptr;
}

}  // namespace

int yolov7_abi_version(void) { return YOLOV7_ABI_VERSION; }
const char* yolov7_version(void) { return yolov7::program_version().data(); }

const char* yolov7_error_message(const yolov7_error* error) {
  return error == nullptr ? "" : error->message.c_str();
}
int yolov7_error_code(const yolov7_error* error) { return error == nullptr ? 0 : error->code; }
void yolov7_error_free(yolov7_error* error) { delete error; }

void yolov7_set_log(int lowest_level, yolov7_log_function function, void* context) {
  guarded(nullptr, [&] {
    yolov7::log::install(function == nullptr
                             ? nullptr
                             : std::make_shared<CallbackSink>(lowest_level, function, context));
  });
}

void yolov7_model_options_init(yolov7_model_options* options) {
  if (options != nullptr) *options = {sizeof *options, "float32", "openvino", nullptr, 0, 0};
}

int yolov7_model_open(const char* path, const yolov7_model_options* options, yolov7_model** model,
                      yolov7_error** error) {
  return guarded(error, [&] {
    required(model, "model");
    required(path, "path");
    yolov7::api::decode_further_images();
    auto own = std::make_unique<yolov7_model>();
    own->open = yolov7::api::open_detector(model_options(
        path, over_defaults(options, yolov7_model_options_init, "yolov7_model_options")));
    own->description = own->open.detector->description();
    *model = own.release();
  });
}
void yolov7_model_free(yolov7_model* model) { delete model; }

void yolov7_model_info_init(yolov7_model_info* info) {
  if (info != nullptr) *info = {sizeof *info, 0, 0, 0, 0, 0};
}

int yolov7_model_get_info(const yolov7_model* model, yolov7_model_info* info,
                          yolov7_error** error) {
  return guarded(error, [&] {
    const yolov7::api::OpenModel& open = required(model, "model").open;
    const yolov7::runtime::InputSides sides = open.detector->sides();
    fill_in(info,
            {0, static_cast<int>(open.names.size()), open.image_size, open.detector->stride(),
             sides.height, sides.width},
            "yolov7_model_info");
  });
}

const char* yolov7_model_class_name(const yolov7_model* model, int class_index) {
  if (model == nullptr || class_index < 0 ||
      static_cast<std::size_t>(class_index) >= model->open.names.size())
    return nullptr;
  return model->open.names[static_cast<std::size_t>(class_index)].c_str();
}
const char* yolov7_model_description(const yolov7_model* model) {
  return model == nullptr ? "" : model->description.c_str();
}

void yolov7_detect_options_init(yolov7_detect_options* options) {
  if (options == nullptr) return;
  const yolov7::runtime::LookOptions look;
  *options = {sizeof *options, 0, -1, -1, look.nms.max_det, 0, nullptr, 0, 0, look.tile_overlap};
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
    *results = detected(model, {yolov7::read_picture(&required(path, "path"))}, options);
  });
}

int yolov7_detect_encoded(yolov7_model* model, const void* bytes, size_t length, const char* name,
                          const yolov7_detect_options* options, yolov7_results** results,
                          yolov7_error** error) {
  return guarded(error, [&] {
    required(results, "results");
    if (bytes == nullptr) throw usage_error("bytes: expected an image file, found NULL");
    const std::string_view content(static_cast<const char*>(bytes), length);
    *results = detected(model, {yolov7::decode_picture(content, text_or(name, "image"))}, options);
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
