#include "monitoring/results_plot.hpp"

#include <algorithm>
#include <opencv2/core.hpp>
#include <utility>

#include "image/drawing/chart.hpp"

namespace yolov7::monitoring {
namespace {

struct Panel {
  const char* title;
  std::vector<std::pair<const char*, const char*>> lines;  ///< column, its name in the legend
  bool share = false;                                      ///< of 0 … 1
};

const std::vector<Panel>& panels() {
  static const std::vector<Panel> all{
      {"Box loss", {{"train/box_loss", "train"}, {"val/box_loss", "val"}}, false},
      {"Objectness loss", {{"train/obj_loss", "train"}, {"val/obj_loss", "val"}}, false},
      {"Class loss", {{"train/cls_loss", "train"}, {"val/cls_loss", "val"}}, false},
      {"Learning rate",
       {{"x/lr0", "BN and implicit"}, {"x/lr1", "weights"}, {"x/lr2", "biases"}},
       false},
      {"Precision and recall (official metric)",
       {{"official/precision", "precision"}, {"official/recall", "recall"}},
       true},
      {"mAP at IoU 0.5", {{"coco/mAP_0.5", "COCO"}, {"official/mAP_0.5", "official"}}, true},
      {"mAP at IoU 0.5 to 0.95",
       {{"coco/mAP_0.5:0.95", "COCO"}, {"official/mAP_0.5:0.95", "official"}},
       true},
      {"Images per second", {{"pictures_per_s", "training"}}, false}};
  return all;
}

}  // namespace

cv::Mat plot_results(const std::vector<double>& epochs, const std::vector<ResultColumn>& columns) {
  constexpr int rows = 2, per_row = 4, width = 600, height = 600;
  cv::Mat canvas(rows * height, per_row * width, CV_8UC3, cv::Scalar::all(255));
  for (std::size_t i = 0; i < panels().size(); ++i) {
    Chart chart{panels()[i].title, "epoch", {}, {}};
    if (panels()[i].share) chart.y_range = {0, 1};
    for (const auto& [column, name] : panels()[i].lines) {
      const auto found =
          std::find_if(columns.begin(), columns.end(),
                       [&, wanted = column](const ResultColumn& c) { return c.name == wanted; });
      if (found == columns.end()) continue;
      ChartLine line{name, {}};
      for (std::size_t k = 0; k < std::min(epochs.size(), found->values.size()); ++k)
        line.points.emplace_back(epochs[k], found->values[k]);
      chart.lines.push_back(std::move(line));
    }
    draw_chart(canvas,
               {static_cast<int>(i % per_row) * width, static_cast<int>(i / per_row) * height,
                width, height},
               chart, 0.7);
  }
  return canvas;
}

}  // namespace yolov7::monitoring
