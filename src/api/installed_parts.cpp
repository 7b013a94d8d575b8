#include "api/installed_parts.hpp"

#include <dlfcn.h>

#include <filesystem>
#include <functional>

#include "api/training_library.hpp"
#include "api/video_library.hpp"
#include "core/builtin.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "runtime/detector.hpp"
#include "runtime/onnxruntime/ort_library.hpp"

namespace yolov7::api {
namespace {

InstalledPart looked_for(InstalledPart part, const std::function<void()>& load) {
  try {
    load();
    part.found = true;
  } catch (const Error& error) {
    part.reason = error.what();
  }
  return part;
}

void require_file(const char* relative) {
  const std::filesystem::path file = delivered_file(relative);
  if (!std::filesystem::exists(file)) throw Error("expected " + file.string() + ", found none");
}

/// Behind the training library, which it needs.
void load_gpu_library() {
  training_library();
  if (dlopen("libyolov7-cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr)
    throw Error(text::printable(dlerror()));
}

}  // namespace

std::vector<InstalledPart> installed_parts(bool gpu) {
  const std::string build = "scripts/setup && scripts/build release";
  std::vector<InstalledPart> parts;
  parts.push_back(looked_for({"OpenVINO", "detect, val, and validation while training", false, "",
                              build + " (cmake -DYOLOV7_OPENVINO=ON)"},
                             [] {
                               if (!runtime::openvino_available())
                                 throw Error("this program was built without OpenVINO");
                             }));
  parts.push_back(looked_for(
      {"training", "train, evolve, reparam, --backend libtorch (LibTorch)", false, "", build},
      [] { training_library(); }));
  parts.push_back(
      looked_for({"video", "videos, cameras, streams; HEIF, AVIF and further images (FFmpeg)",
                  false, "", build},
                 [] { video_library(); }));
  parts.push_back(
      looked_for({"ONNX Runtime", "--backend onnxruntime; nothing else needs it", false, "",
                  "pip install --target DIR onnxruntime; export "
                  "YOLOV7_ONNXRUNTIME=$(ls DIR/onnxruntime/capi/libonnxruntime.so.*)"},
                 [] { runtime::ort_version(); }));
  parts.push_back(looked_for({"start weights", "train --weights synth", false, "", build},
                             [] { require_file("weights/yolov7-tiny-synth.pt"); }));
  parts.push_back(looked_for({"font", "class names in images", false, "", build},
                             [] { require_file("fonts/DejaVuSans.ttf"); }));
  if (gpu)
    parts.push_back(looked_for({"GPU training", "train --device 0 (CUDA, cuDNN, NCCL)", false, "",
                                "scripts/setup --gpu && scripts/build release"},
                               load_gpu_library));
  return parts;
}

}  // namespace yolov7::api
