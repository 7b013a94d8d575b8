// Program for tensorboard_peer.py: tensorboard_fixture FOLDER writes the event files of a run that
// was cut after step 3, and of its continuation from step 2 on.
#include <cstdio>
#include <opencv2/core.hpp>

#include "core/error.hpp"
#include "image/codec/codec.hpp"
#include "monitoring/tensorboard.hpp"

using namespace yolov7;

namespace {

void values(monitoring::TensorBoardWriter& writer, std::int64_t step, double offset) {
  writer.scalars(step, {{"train/box_loss", 0.5 / static_cast<double>(step + 1) + offset},
                        {"coco/mAP_0.5", 0.1 * static_cast<double>(step) + offset}});
}

}  // namespace

int main(int, char** arguments) {
  try {
    {
      monitoring::TensorBoardWriter first(arguments[1], 0);
      first.hyperparameters(
          {{"lr0", 0.01}, {"adam", false}, {"cfg", std::string("yolov7-tiny.yaml")}},
          {"coco/mAP_0.5"});
      first.graph({{"picture", "Placeholder", {}, {-1, 3, 64, 64}},
                   {"backbone/layer_0", "Conv", {"picture"}, {-1, 32, 32, 32}},
                   {"neck/layer_1", "Concat", {"backbone/layer_0", "picture"}, {}}});
      first.text(0, "command", "| a | b |\n|---|---|\n| 1 | ü |");
      const cv::Mat picture(20, 30, CV_8UC3, cv::Scalar(10, 20, 200));
      first.picture(0, "train_batch0", encode_png(picture), 30, 20);
      for (std::int64_t step = 0; step < 4; ++step) values(first, step, 0);
    }
    monitoring::TensorBoardWriter second(arguments[1], 2);
    for (std::int64_t step = 2; step < 5; ++step) values(second, step, 0.01);
    second.finished();
    return 0;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
