#include "cli/verbs/detect_precision.hpp"

#include <fmt/format.h>

#include <opencv2/core.hpp>

#include "core/error.hpp"
#include "runtime/frames/frames.hpp"
#include "runtime/precision_choice.hpp"

namespace yolov7::cli {

PrecisionChoice choose_precision(const DetectOptions& options,
                                 const std::vector<std::string>& given,
                                 const runtime::SourceList& list, runtime::LookOptions look,
                                 const std::function<api::OpenModel(const char*)>& open) {
  if (options.model.backend != "openvino") return {"float32", "only OpenVINO has another"};
  std::vector<cv::Mat> pictures;
  runtime::FrameLimits limits = options.limits();
  limits.seconds = 0;  // they are those of the run itself
  const auto first = runtime::picture_frames(list.pictures, limits);
  // One that cannot be read is told when its turn comes.
  for (runtime::Frame frame; pictures.size() < 4 && first->next(frame);) {
    first->load(frame);
    if (frame.error.empty()) pictures.push_back(frame.bgr);
  }
  if (pictures.empty()) return {"float32", "the source has no images to compare bfloat16 on"};
  try {
    api::OpenModel reference = open("float32"), candidate = open("bfloat16");
    DetectOptions wanted = options;
    api::take_wanted_thresholds(reference, given, wanted.look.nms);
    look.nms = wanted.nms_options();
    look.image_size = api::usable_image_size(look.image_size, *reference.detector);
    const runtime::PrecisionVerdict verdict =
        runtime::judge_precision(*reference.detector, *candidate.detector, pictures, look);
    if (!verdict.same) return {"float32", "bfloat16 is refused: " + verdict.reason};
    if (verdict.speed < 1)
      return {"float32",
              fmt::format("bfloat16 gives the same boxes, but is slower ({:.2f} times as fast)",
                          verdict.speed)};
    return {"bfloat16",
            fmt::format("{:.2f} times as fast as float32; {}", verdict.speed, verdict.reason)};
  } catch (const Error& error) {
    if (error.code() == ExitCode::interrupted) throw;
    return {"float32", error.what()};
  }
}

}  // namespace yolov7::cli
