#pragma once
// A run of a three-layer network of some 1,900 parameters on a few drawn pictures of 64 pixels.
#include <filesystem>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

#include "image/codec/codec.hpp"
#include "tests/scratch_folder.hpp"
#include "training/setup.hpp"

namespace yolov7::training {

inline const std::string tiny_config = R"(nc: 2
depth_multiple: 1.0
width_multiple: 1.0
anchors:
  - [16,16, 32,32]
backbone:
  [[-1, 1, Conv, [8, 3, 2]],
   [-1, 1, Conv, [8, 3, 2]],
   [-1, 1, Conv, [8, 3, 2]]]
head:
  [[[2], 1, Detect, [nc, anchors]]]
)";

class TinyRun {
 public:
  /// Batches of one picture, and a step after each.
  explicit TinyRun(int pictures = 4) {
    for (const auto& [split, count] : {std::pair{"train", pictures}, std::pair{"val", 2}})
      for (int i = 0; i < count; ++i) {
        const std::string name = std::to_string(i);
        cv::Mat picture(64, 64, CV_8UC3, cv::Scalar(90, 90, 90 + i));
        cv::rectangle(picture, {16, 12 + i, 24, 24}, cv::Scalar(20, 200, 40 * i), cv::FILLED);
        std::filesystem::create_directories(scratch_ / (std::string("images/") + split));
        write_picture(scratch_ / (std::string("images/") + split + "/" + name + ".png"), picture);
        scratch_.write(std::string("labels/") + split + "/" + name + ".txt",
                       std::to_string(i % 2) + " 0.4375 " + std::to_string((24.0 + i) / 64) +
                           " 0.375 0.375\n");
      }
    request.options.data =
        scratch_.write("data.yaml", "train: images/train\nval: images/val\nnc: 2\nnames: [a, b]\n")
            .string();
    request.options.cfg = scratch_.write("tiny.yaml", tiny_config).string();
    request.options.hyp = "hyp.scratch.tiny.yaml";
    request.options.weights = "";
    request.options.img_size = {64, 64};
    request.options.batch_size = request.options.nbs = 1;
    request.options.epochs = 2;
    request.options.noautoanchor = true;
    request.options.precision = "float32";
    request.options.recipe = "official";
    request.options.device = "cpu";
    request.options.threads = 1;
    request.options.workers = 0;
    std::filesystem::create_directories(scratch_ / "run");
    request.run_folder = (scratch_ / "run").string();
  }
  PreparedRun& prepared() {
    if (!run_) run_ = prepare(request, *group_);
    return *run_;
  }
  /// Ends the run, and lets go of its folder.
  void release() { run_.reset(); }
  std::filesystem::path weights() const { return scratch_ / "run/weights"; }

  TrainRequest request;

 private:
  test::ScratchFolder scratch_;
  std::unique_ptr<Communicator> group_ = Communicator::alone();
  std::unique_ptr<PreparedRun> run_;
};

}  // namespace yolov7::training
