// Writes TensorFlow Lite files, SavedModels and frozen graphs, the images to run them on, and what
// has to come out, for tflite_peer.py and tensorflow_peer.py.
// Usage: channels_last_fixture tflite|tensorflow FOLDER.
#include <fmt/format.h>

#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "exporting/tensorflow.hpp"
#include "exporting/tflite.hpp"
#include "tests/exporting/networks.hpp"
#include "tests/exporting/written_values.hpp"

namespace {

namespace fs = std::filesystem;
using namespace yolov7;
using namespace yolov7::exporting;
using namespace yolov7::testing;

constexpr int batch = 2;

class Fixture {
 public:
  Fixture(fs::path folder, bool lite) : folder_(std::move(folder)), lite_(lite) {}

  void add(const std::string& network_name, const network::NetworkAndWeights& net,
           const ExportOptions& options, int height, int width) {
    const std::string name = fmt::format("{:03}-{}", cases_.size(), network_name);
    const ExportModel model = export_model(net, height, width, options);
    if (lite_) {
      write_tflite(model, options, folder_ / (name + ".tflite"));
    } else {
      write_saved_model(model, options, folder_ / (name + "_saved_model"));
      write_frozen_graph(model, options, folder_ / (name + ".pb"));
    }
    const std::string data = fmt::format("{}-{}x{}", network_name, height, width);
    if (!fs::exists(folder_ / (data + ".rows"))) {
      const auto input = unit_noise(static_cast<std::size_t>(batch * 3 * height * width), 5);
      write_values(folder_ / (data + ".images"), input);
      write_values(folder_ / (data + ".rows"),
                   reference_outputs(net, input, batch, height, width).rows);
    }
    cases_.push_back({{"name", name},
                      {"data", data},
                      {"shape", {batch, 3, height, width}},
                      {"classes", net.network.class_count},
                      {"fold_obj", options.fold_obj},
                      {"half", options.half},
                      {"nms", options.nms},
                      {"iou", options.iou_thres},
                      {"conf", options.conf_thres},
                      {"most_of_class", options.topk_per_class},
                      {"most", options.topk_all},
                      {"open", options.dynamic_batch}});
  }
  void finish() const { std::ofstream(folder_ / "cases.json") << nlohmann::json(cases_).dump(1); }

 private:
  fs::path folder_;
  bool lite_;
  std::vector<nlohmann::json> cases_;
};

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  const bool lite = std::strcmp(arguments[1], "tflite") == 0;
  Fixture fixture(arguments[2], lite);
  for (const int classes : {3, 1})
    for (const bool open : {false, true})
      for (const bool fold : {false, true})
        for (const bool half : {false, true}) {
          if (half && !lite) continue;
          ExportOptions options;
          options.batch_size = open ? 1 : batch, options.dynamic_batch = open;
          options.fold_obj = fold, options.half = half;
          fixture.add(classes == 1 ? "one" : "three", every_primitive(classes), options, 64, 48);
        }
  for (const int classes : {3, 1})
    for (const int most : {100, 7}) {
      if (lite) continue;  // suppression is not part of TensorFlow Lite's files
      ExportOptions options;
      options.dynamic_batch = most == 100, options.batch_size = most == 100 ? 1 : batch;
      options.nms = true, options.conf_thres = 0.05, options.iou_thres = 0.3;
      options.topk_all = most, options.topk_per_class = most == 100 ? 100 : 3;
      fixture.add(classes == 1 ? "one" : "three", every_primitive(classes), options, 64, 48);
    }
  std::vector<NamedNetwork> singles = one_primitive_each();
  for (NamedNetwork& one : padded_and_dilated()) singles.push_back(std::move(one));
  singles.push_back(inverted_residual());
  for (const NamedNetwork& one : singles)
    for (const bool half : {false, true}) {
      if (half && !lite) continue;
      ExportOptions options;
      options.batch_size = batch, options.half = half;
      fixture.add(one.name, one.model, options, 8, 12);
    }
  fixture.finish();
  return 0;
}
