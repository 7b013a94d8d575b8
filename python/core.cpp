// yolov7cpp._core: the C++ interface for Python. The interpreter's lock is not held while something is computed.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <tuple>
#include <yolov7/yolov7.hpp>

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using Pixels = nb::ndarray<const std::uint8_t, nb::c_contig, nb::device::cpu>;
using Bgr = nb::ndarray<nb::numpy, std::uint8_t, nb::ndim<3>>;

template <class Value, int dimensions>
using Array = nb::ndarray<nb::numpy, Value, nb::ndim<dimensions>>;

/// An array that owns its memory.
template <class Value, int dimensions>
Array<Value, dimensions> array_of(std::vector<Value> values,
                                  std::initializer_list<std::size_t> shape) {
  auto* own = new std::vector<Value>(std::move(values));
  const nb::capsule owner(own, [](void* p) noexcept { delete static_cast<std::vector<Value>*>(p); });
  return {own->data(), shape, owner};
}

/// "shape (4, 4, 2)".
std::string shape_text(const Pixels& pixels) {
  std::string all = "shape (";
  for (std::size_t i = 0; i < pixels.ndim(); ++i)
    all += (i == 0 ? "" : ", ") + std::to_string(pixels.shape(i));
  return all + ")";
}

/// [H, W] or [H, W, C] of 8 bits; `order`: "bgr" or "rgb", of 3 or 4 channels.
yolov7::Image image_of(const Pixels& pixels, const std::string& order) {
  if (order != "bgr" && order != "rgb")
    throw std::invalid_argument("order: expected 'bgr' or 'rgb', found '" + order + "'");
  const bool rgb = order == "rgb";
  yolov7::Image image{};
  const std::size_t channels = pixels.ndim() == 2 ? 1 : pixels.ndim() == 3 ? pixels.shape(2) : 0;
  if (channels == 1)
    image.format = YOLOV7_GRAY;
  else if (channels == 3)
    image.format = rgb ? YOLOV7_RGB : YOLOV7_BGR;
  else if (channels == 4)
    image.format = rgb ? YOLOV7_RGBA : YOLOV7_BGRA;
  else
    throw std::invalid_argument("image: expected [H, W] or [H, W, C] with 1, 3 or 4 channels, found " +
                                shape_text(pixels));
  if (pixels.shape(0) > 65535 || pixels.shape(1) > 65535)
    throw std::invalid_argument("image: expected at most 65535 pixels a side, found " +
                                shape_text(pixels));
  image.pixels = pixels.data();
  image.height = static_cast<int>(pixels.shape(0));
  image.width = static_cast<int>(pixels.shape(1));
  return image;
}

Bgr bgr_array(std::vector<unsigned char> bytes, int height, int width) {
  return array_of<std::uint8_t, 3>(std::move(bytes), {static_cast<std::size_t>(height),
                                                      static_cast<std::size_t>(width), 3});
}

/// Boxes [N, 4], scores [N], classes [N].
std::tuple<Array<double, 2>, Array<float, 1>, Array<int, 1>> boxes_of(
    const yolov7::Results& results, std::size_t image) {
  std::vector<double> corners;
  std::vector<float> scores;
  std::vector<int> classes;
  for (const yolov7::Box& box : results.boxes(image)) {
    corners.insert(corners.end(), {box.x1, box.y1, box.x2, box.y2});
    scores.push_back(box.score);
    classes.push_back(box.class_index);
  }
  const std::size_t count = scores.size();
  return {array_of<double, 2>(std::move(corners), {count, 4}),
          array_of<float, 1>(std::move(scores), {count}),
          array_of<int, 1>(std::move(classes), {count})};
}

std::shared_ptr<yolov7::Results> detect(yolov7::Detector& detector,
                                        const std::vector<Pixels>& arrays,
                                        const std::vector<std::string>& orders,
                                        const yolov7::DetectOptions& options) {
  std::vector<yolov7::Image> images;
  for (std::size_t i = 0; i < arrays.size(); ++i)
    images.push_back(image_of(arrays[i], orders.at(i)));
  const nb::gil_scoped_release released;
  return std::make_shared<yolov7::Results>(detector.detect(images, options));
}

Bgr picture(const yolov7::Picture& read) {
  const yolov7::Image& image = read.image();
  const auto bytes = 3 * static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
  return bgr_array({image.pixels, image.pixels + bytes}, image.height, image.width);
}

void bind_detector(nb::module_& m) {
  nb::class_<yolov7::Detector>(m, "Detector")
      .def(
          "__init__",
          [](yolov7::Detector* self, const std::string& path, const std::string& precision,
             const std::string& backend, const std::string& names, int threads, bool augment,
             const std::string& model_cache) {
            const nb::gil_scoped_release released;
            new (self) yolov7::Detector(
                path,
                yolov7::ModelOptions{precision, backend, names, threads, augment, model_cache});
          },
          "path"_a, "precision"_a, "backend"_a, "names"_a, "threads"_a, "augment"_a,
          "model_cache"_a)
      .def("names", &yolov7::Detector::names)
      .def("description", &yolov7::Detector::description)
      .def("info",
           [](const yolov7::Detector& self) {
             const yolov7::Info info = self.info();
             return std::make_tuple(info.image_size, info.stride,
                                    std::make_pair(info.fixed_width, info.fixed_height));
           })
      .def("detect", &detect, "images"_a, "orders"_a, "options"_a)
      .def(
          "draw",
          [](const yolov7::Detector& self, const yolov7::Results& results, std::size_t index,
             const Pixels& pixels, const std::string& order) {
            const yolov7::Image image = image_of(pixels, order);
            std::vector<unsigned char> bgr;
            {
              const nb::gil_scoped_release released;
              bgr = self.draw(results, image, index);
            }
            return bgr_array(std::move(bgr), image.height, image.width);
          },
          "results"_a, "index"_a, "image"_a, "order"_a);
}

}  // namespace

NB_MODULE(_core, m) {
  nb::exception<yolov7::Exception>(m, "Error", PyExc_RuntimeError);
  m.def("version", [] { return std::string(yolov7_version()); });

  nb::class_<yolov7::DetectOptions>(m, "DetectOptions")
      .def(nb::init<>())
      .def_rw("image_size", &yolov7::DetectOptions::image_size)
      .def_rw("conf_thres", &yolov7::DetectOptions::conf_thres)
      .def_rw("iou_thres", &yolov7::DetectOptions::iou_thres)
      .def_rw("max_det", &yolov7::DetectOptions::max_det)
      .def_rw("agnostic", &yolov7::DetectOptions::agnostic)
      .def_rw("classes", &yolov7::DetectOptions::classes)
      .def_rw("tile", &yolov7::DetectOptions::tile)
      .def_rw("tile_overlap", &yolov7::DetectOptions::tile_overlap);

  nb::class_<yolov7::Results>(m, "Results")
      .def("__len__", &yolov7::Results::size)
      .def("boxes", &boxes_of, "image"_a)
      .def("image_size", &yolov7::Results::image_size, "image"_a)
      .def(
          "times",
          [](const yolov7::Results& self, std::size_t image) {
            const auto times = self.times(image);
            return std::make_tuple(times.pre, times.inference, times.post);
          },
          "image"_a);
  bind_detector(m);

  m.def(
      "read_image",
      [](const std::string& path) {
        std::unique_ptr<yolov7::Picture> read;
        {
          const nb::gil_scoped_release released;
          read = std::make_unique<yolov7::Picture>(path);
        }
        return picture(*read);
      },
      "path"_a);
  m.def(
      "decode_image",
      [](const nb::bytes& content, const std::string& name) {
        std::unique_ptr<yolov7::Picture> read;
        {
          const nb::gil_scoped_release released;
          read = std::make_unique<yolov7::Picture>(content.c_str(), content.size(), name);
        }
        return picture(*read);
      },
      "content"_a, "name"_a);
  m.def(
      "write_image",
      [](const std::string& path, const Pixels& pixels, const std::string& order) {
        const yolov7::Image image = image_of(pixels, order);
        const nb::gil_scoped_release released;
        yolov7::write_image(path, image);
      },
      "path"_a, "image"_a, "order"_a);
}
