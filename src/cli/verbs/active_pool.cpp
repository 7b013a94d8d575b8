#include "cli/verbs/active_pool.hpp"

#include <fmt/format.h>

#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <unordered_map>

#include "active/scene_cuts.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/progress.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "runtime/frames/frames.hpp"
#include "runtime/frames/pipeline.hpp"

namespace yolov7::cli {
namespace {

using runtime::DetectResult;
using runtime::Frame;

/// The frames of another source, mirrored left to right as they are loaded.
class Mirrored : public runtime::FrameSource {
 public:
  explicit Mirrored(std::unique_ptr<runtime::FrameSource> inner) : inner_(std::move(inner)) {}
  bool next(Frame& frame) override { return inner_->next(frame); }
  void load(Frame& frame) override {
    inner_->load(frame);
    if (!frame.error.empty()) return;
    cv::Mat turned;
    cv::flip(frame.bgr, turned, 1);
    frame.bgr = turned;
  }
  std::size_t total() const override { return inner_->total(); }

 private:
  std::unique_ptr<runtime::FrameSource> inner_;
};

std::vector<std::uint8_t> thumbnail_of(const cv::Mat& bgr) {
  cv::Mat small;
  cv::resize(bgr, small, {active::thumbnail_side, active::thumbnail_side}, 0, 0, cv::INTER_AREA);
  return {small.data, small.data + small.total() * small.elemSize()};
}

std::unique_ptr<runtime::FrameSource> frames_of(
    const std::vector<runtime::SourcePicture>& pictures) {
  runtime::FrameLimits limits;
  limits.stop = interrupt::token();
  return runtime::picture_frames(pictures, limits);
}

/// The origin's number counts from 1 in the order of the pictures.
std::size_t place_of(const Frame& frame) { return frame.origin->number - 1; }

}  // namespace

Workers pool_workers(api::OpenModel& model) {
  const int threads = threads_or_all(0);
  return api::workers(model, static_cast<std::size_t>(threads) + (threads > 1 ? 2 : 0));
}

std::vector<std::string> take_unnamable(std::vector<runtime::SourcePicture>& pictures,
                                        const std::string& file) {
  std::vector<std::string> taken;
  std::erase_if(pictures, [&](const runtime::SourcePicture& one) {
    const std::string path = std::filesystem::absolute(one.path).string();
    if (text::is_utf8(path)) return false;
    taken.push_back(fmt::format("{}: expected a path in UTF-8, which {} can hold", path, file));
    return true;
  });
  return taken;
}

Pool look_at_pool(const std::vector<runtime::SourcePicture>& pictures, const Workers& workers,
                  const PoolOptions& options) {
  std::vector<PoolImage> images(pictures.size());
  std::vector<std::string> faults(pictures.size());
  for (std::size_t i = 0; i < pictures.size(); ++i) images[i].path = pictures[i].path;
  const auto fault_of = [](const Frame& frame, const DetectResult& result) -> std::string {
    if (!frame.error.empty()) return frame.error;
    if (result.dropped_not_finite > 0)
      return fmt::format("{} of {} rows of the prediction are not finite",
                         result.dropped_not_finite, result.rows);
    return {};
  };
  for (const bool mirrored : {false, true}) {
    if (mirrored && !options.mirrored) break;
    auto source = frames_of(pictures);
    if (mirrored) source = std::make_unique<Mirrored>(std::move(source));
    Progress progress(mirrored ? "looking at mirrored images" : "looking at images",
                      pictures.size(), "images");
    runtime::PipelineStages stages;
    // Each frame has a place of its own, so workers need no lock.
    stages.drawn = [&](Frame& frame, DetectResult& result) {
      const std::size_t at = place_of(frame);
      if (std::string fault = fault_of(frame, result); !fault.empty()) {
        faults[at] = std::move(fault);
        return;
      }
      PoolImage& image = images[at];
      (mirrored ? image.mirrored : image.detections) = std::move(result.detections);
      if (mirrored) return;
      image.width = frame.bgr.cols, image.height = frame.bgr.rows;
      if (options.sketches)
        image.sketch = std::make_unique<dataset::similarity::Sketch>(
            dataset::similarity::sketch_of(frame.bgr));
      if (options.thumbnails) image.thumbnail = thumbnail_of(frame.bgr);
    };
    stages.delivered = [&](Frame&, DetectResult&) { progress.advance(); };
    runtime::run_pipeline(*source, workers, options.look, 1, stages);
    progress.finish();
  }
  Pool pool;
  pool.mirrored = options.mirrored;
  for (std::size_t i = 0; i < images.size(); ++i) {
    if (faults[i].empty())
      pool.images.push_back(std::move(images[i]));
    else
      pool.unreadable.push_back(fmt::format("{}: {}", images[i].path.string(), faults[i]));
  }
  return pool;
}

}  // namespace yolov7::cli
