// Models of yolov7.h.
#include <memory>

#include "api/video_library.hpp"
#include "bindings/handles.hpp"

namespace {

using namespace yolov7::bindings;
using yolov7::usage_error;

constexpr yolov7_model_options default_options{0, "float32", "openvino", nullptr, 0, 0, nullptr};

yolov7::api::ModelOptions model_options(const char* path, const yolov7_model_options& given) {
  yolov7::api::ModelOptions options;
  options.weights = {path};
  options.backend = text_or(given.backend, "openvino");
  if (options.backend != "openvino" && options.backend != "onnxruntime" &&
      options.backend != "libtorch")
    throw usage_error(fmt::format("backend: expected openvino, onnxruntime or libtorch, found '{}'",
                                  options.backend));
  options.names = text_or(given.names, "");
  options.detector.precision = text_or(given.precision, "float32");
  if (options.detector.precision != "float32" && options.detector.precision != "bfloat16")
    throw usage_error(fmt::format("precision: expected float32 or bfloat16, found '{}'",
                                  options.detector.precision));
  if (given.threads < 0)
    throw usage_error(fmt::format("threads: expected 0 or more, found {}", given.threads));
  options.detector.threads = given.threads;
  options.augment = given.augment != 0;
  options.detector.cache_folder =
      yolov7::api::model_cache_folder(text_or(given.model_cache, "none"));
  return options;
}

}  // namespace

void yolov7_model_options_init_sized(yolov7_model_options* options, size_t size) {
  init(options, size, default_options);
}

int yolov7_model_open(const char* path, const yolov7_model_options* options, yolov7_model** model,
                      yolov7_error** error) {
  return guarded(error, [&] {
    required(model, "model");
    required(path, "path");
    yolov7::api::decode_further_images();
    auto own = std::make_unique<yolov7_model>();
    own->open = yolov7::api::open_detector(
        model_options(path, over_defaults(options, default_options, "yolov7_model_options")));
    own->description = own->open.detector->description();
    *model = own.release();
  });
}
void yolov7_model_free(yolov7_model* model) { delete model; }

void yolov7_model_info_init_sized(yolov7_model_info* info, size_t size) {
  init(info, size, yolov7_model_info{});
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
