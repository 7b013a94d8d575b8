#ifndef YOLOV7_YOLOV7_HPP
#define YOLOV7_YOLOV7_HPP
// Detection with models of yolov7.cpp, for programs in C++17 and later: yolov7.h with handles that
// free themselves and with exceptions. There is nothing to link but libyolov7-c, and nothing of C++
// crosses its border, so that program and library may come from different compilers.
#include <yolov7/yolov7.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace yolov7 {

/// One line: what was expected, what was found, and where.
class Exception : public std::runtime_error {
 public:
  Exception(const std::string& message, int code) : std::runtime_error(message), code_(code) {}
  /// 1: it failed; 2: it was called wrongly.
  int code() const { return code_; }

 private:
  int code_;
};

/// Throws the error of a call, and frees it.
inline void check(int code, yolov7_error* error) {
  if (code == 0) return;
  const std::string message = yolov7_error_message(error);
  yolov7_error_free(error);
  throw Exception(message, code);
}

using Box = yolov7_box;
using Image = yolov7_image;
using Info = yolov7_model_info;

/// Where the boxes of an image stand; valid as long as the Results.
class Boxes {
 public:
  Boxes(const Box* first, std::size_t count) : first_(first), count_(count) {}
  const Box* begin() const { return first_; }
  const Box* end() const { return first_ + count_; }
  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  const Box& operator[](std::size_t i) const { return first_[i]; }

 private:
  const Box* first_;
  std::size_t count_;
};

/// What was found in some images, in their order.
class Results {
 public:
  explicit Results(yolov7_results* own) : own_(own) {}
  std::size_t size() const { return yolov7_results_count(own_.get()); }
  /// By descending score. Exception 2: no such image.
  Boxes boxes(std::size_t image = 0) const& {
    if (image >= size()) throw Exception("results: no such image", 2);
    std::size_t count = 0;
    const Box* first = yolov7_results_boxes(own_.get(), image, &count);
    return {first, count};
  }
  /// Boxes end with their Results: `auto found = detector.detect(path);` comes first.
  Boxes boxes(std::size_t image = 0) const&& = delete;
  /// Width and height in pixels. Exception 2: no such image.
  std::pair<int, int> image_size(std::size_t image = 0) const {
    std::pair<int, int> sides;
    if (const int code = yolov7_results_image_size(own_.get(), image, &sides.first, &sides.second))
      throw Exception("results: no such image", code);
    return sides;
  }

  /// For the functions of yolov7.h.
  const yolov7_results* handle() const { return own_.get(); }
  /// Milliseconds. Exception 2: no such image.
  struct Times {
    double pre = 0, inference = 0, post = 0;
  };
  Times times(std::size_t image = 0) const {
    Times t;
    if (const int code = yolov7_results_times(own_.get(), image, &t.pre, &t.inference, &t.post))
      throw Exception("results: no such image", code);
    return t;
  }

 private:
  struct Free {
    void operator()(yolov7_results* results) const { yolov7_results_free(results); }
  };
  std::unique_ptr<yolov7_results, Free> own_;
};

/// As the comments of yolov7_model_options say; what is not set has its default.
struct ModelOptions {
  std::string precision = "float32", backend = "openvino", names;
  int threads = 0;
  bool augment = false;
  std::string model_cache;  ///< a folder, "auto" or ""; of checkpoints alone
};

/// As the comments of yolov7_detect_options say.
struct DetectOptions {
  int image_size = 0;
  std::optional<double> conf_thres, iou_thres;
  std::optional<int> max_det;
  bool agnostic = false;
  std::optional<std::vector<int>> classes;  ///< not set: all
  int tile = 0;
  std::optional<double> tile_overlap;
};

/// An open model. Its calls wait for each other; open it again for threads that work at the same
/// time.
class Detector {
 public:
  explicit Detector(const std::string& path, const ModelOptions& options = {}) {
    yolov7_model_options own;
    yolov7_model_options_init(&own);
    own.precision = options.precision.c_str();
    own.backend = options.backend.c_str();
    own.names = options.names.empty() ? nullptr : options.names.c_str();
    own.threads = options.threads;
    own.augment = options.augment ? 1 : 0;
    own.model_cache = options.model_cache.empty() ? nullptr : options.model_cache.c_str();
    yolov7_model* model = nullptr;
    yolov7_error* error = nullptr;
    const int code = yolov7_model_open(path.c_str(), &own, &model, &error);
    check(code, error);
    own_.reset(model);
  }
  Info info() const {
    Info info;
    yolov7_model_info_init(&info);
    yolov7_error* error = nullptr;
    const int code = yolov7_model_get_info(own_.get(), &info, &error);
    check(code, error);
    return info;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (int i = 0; i < info().class_count; ++i)
      names.emplace_back(yolov7_model_class_name(own_.get(), i));
    return names;
  }
  /// What runs it: "OpenVINO 2026.4.1, CPU, float32, 2 threads".
  std::string description() const { return yolov7_model_description(own_.get()); }

  /// One result an image.
  Results detect(const std::vector<Image>& images, const DetectOptions& options = {}) {
    return call(options, [&](const yolov7_detect_options& own, yolov7_results** results,
                             yolov7_error** error) {
      return yolov7_detect(own_.get(), images.data(), images.size(), &own, results, error);
    });
  }
  Results detect(const Image& image, const DetectOptions& options = {}) {
    return detect(std::vector<Image>{image}, options);
  }
  /// An image file.
  Results detect(const std::string& path, const DetectOptions& options = {}) {
    return call(options, [&](const yolov7_detect_options& own, yolov7_results** results,
                             yolov7_error** error) {
      return yolov7_detect_file(own_.get(), path.c_str(), &own, results, error);
    });
  }
  /// The boxes of a result drawn over its image: B G R, rows that follow each other.
  std::vector<unsigned char> draw(const Results& results, const Image& image,
                                  std::size_t index = 0) const {
    // Of the result, not of `image`, which is not checked yet.
    const auto [width, height] = results.image_size(index);
    std::vector<unsigned char> bgr(3 * static_cast<std::size_t>(width) *
                                   static_cast<std::size_t>(height));
    yolov7_error* error = nullptr;
    const int code =
        yolov7_results_draw(results.handle(), index, own_.get(), &image, bgr.data(), &error);
    check(code, error);
    return bgr;
  }
  /// The bytes of an image file; `name` stands for it in messages.
  Results detect_encoded(const void* bytes, std::size_t length, const std::string& name = "image",
                         const DetectOptions& options = {}) {
    return call(options, [&](const yolov7_detect_options& own, yolov7_results** results,
                             yolov7_error** error) {
      return yolov7_detect_encoded(own_.get(), bytes, length, name.c_str(), &own, results, error);
    });
  }

 private:
  struct Free {
    void operator()(yolov7_model* model) const { yolov7_model_free(model); }
  };

  /// A negative value, which means "not given" in C, is an error here.
  static double given_threshold(const std::optional<double>& given, double otherwise,
                                const char* name) {
    if (!given) return otherwise;
    if (*given >= 0) return *given;
    throw Exception(std::string(name) + ": expected 0 to 1, found " + std::to_string(*given), 2);
  }

  template <class Call>
  static Results call(const DetectOptions& options, const Call& function) {
    yolov7_detect_options own;
    yolov7_detect_options_init(&own);
    own.image_size = options.image_size;
    own.conf_thres = given_threshold(options.conf_thres, own.conf_thres, "conf_thres");
    own.iou_thres = given_threshold(options.iou_thres, own.iou_thres, "iou_thres");
    own.max_det = options.max_det.value_or(own.max_det);
    own.agnostic = options.agnostic ? 1 : 0;
    static const int none = 0;  // an empty list is an error that the library names
    if (options.classes) {
      own.classes = options.classes->empty() ? &none : options.classes->data();
      own.class_count = options.classes->size();
    }
    own.tile = options.tile;
    own.tile_overlap = options.tile_overlap.value_or(own.tile_overlap);
    yolov7_results* results = nullptr;
    yolov7_error* error = nullptr;
    const int code = function(own, &results, &error);
    check(code, error);
    return Results(results);
  }

  std::unique_ptr<yolov7_model, Free> own_;
};

/// An image file in memory: 8-bit B G R, upright.
class Picture {
 public:
  explicit Picture(const std::string& path) {
    yolov7_error* error = nullptr;
    const int code = yolov7_image_read(path.c_str(), &own_, &error);
    check(code, error);
  }
  /// The bytes of an image file; `name` stands for it in messages.
  Picture(const void* bytes, std::size_t length, const std::string& name) {
    yolov7_error* error = nullptr;
    const int code = yolov7_image_decode(bytes, length, name.c_str(), &own_, &error);
    check(code, error);
  }
  Picture(const Picture&) = delete;
  Picture& operator=(const Picture&) = delete;
  ~Picture() { yolov7_image_free(&own_); }
  const Image& image() const { return own_; }

 private:
  Image own_{};
};

/// Writes an image file in the format that its name ends with.
inline void write_image(const std::string& path, const Image& image) {
  yolov7_error* error = nullptr;
  const int code = yolov7_image_write(path.c_str(), &image, &error);
  check(code, error);
}

}  // namespace yolov7
#endif
