// Writes ONNX files of every kind, the images to run them on, and what has to come out, for
// onnx_peer.py. Usage: onnx_fixture FOLDER.
#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "exporting/onnx.hpp"
#include "image/boxes/nms.hpp"
#include "tests/exporting/networks.hpp"
#include "tests/exporting/written_values.hpp"

namespace {

namespace fs = std::filesystem;
using namespace yolov7;
using namespace yolov7::exporting;
using namespace yolov7::testing;

constexpr const char* form_names[] = {"A", "B", "C", "D"};
constexpr int batch = 2, height = 64, width = 48;

/// [image, x1, y1, x2, y2, class, score] of our own suppression.
std::vector<double> detections(const std::vector<double>& rows, int classes,
                               const ExportOptions& options, bool multi_label) {
  const std::vector<float> decoded(rows.begin(), rows.end());
  const std::size_t part = decoded.size() / batch, no = static_cast<std::size_t>(5 + classes);
  std::vector<double> all;
  for (std::size_t image = 0; image < batch; ++image) {
    NmsOptions nms;
    nms.conf_thres = options.conf_thres, nms.iou_thres = options.iou_thres;
    nms.multi_label = multi_label, nms.agnostic = options.agnostic_nms;
    nms.max_det = options.topk_all;
    for (const Detection& one :
         non_maximum_suppression(decoded.data() + image * part, part / no, classes, nms).detections)
      for (const double value :
           {static_cast<double>(image), one.box.x1, one.box.y1, one.box.x2, one.box.y2,
            static_cast<double>(one.class_index), static_cast<double>(one.score)})
        all.push_back(value);
  }
  return all;
}

class Fixture {
 public:
  explicit Fixture(fs::path folder) : folder_(std::move(folder)) {}

  void add(const std::string& network_name, const network::NetworkAndWeights& net,
           const ExportOptions& options, int h = height, int w = width) {
    const std::string name = fmt::format("{:03}-{}", cases_.size(), network_name);
    // Where sides are open the file is written for others.
    const int other = options.dynamic ? 16 : 0;
    write_onnx(export_model(net, h + other, w + 2 * other, options), options,
               folder_ / (name + ".onnx"));
    const std::string data = fmt::format("{}-{}x{}", network_name, h, w);
    if (!fs::exists(folder_ / (data + ".images"))) {
      const auto input = unit_noise(static_cast<std::size_t>(batch * 3 * h * w), 5);
      write_values(folder_ / (data + ".images"), input);
      const ReferenceOutputs expected = reference_outputs(net, input, batch, h, w);
      for (std::size_t j = 0; j < expected.raw.size(); ++j)
        write_values(folder_ / fmt::format("{}.raw{}", data, j), expected.raw[j]);
      write_values(folder_ / (data + ".rows"), expected.rows);
      rows_[data] = expected.rows;
    }
    const OutputForm form = output_form(options);
    const int classes = net.network.class_count;
    if (form == OutputForm::nms_operator || form == OutputForm::nms_plugin)
      write_values(folder_ / (name + ".detections"),
                   detections(rows_.at(data), classes, options, form == OutputForm::nms_plugin));
    cases_.push_back({{"file", name + ".onnx"},
                      {"data", data},
                      {"shape", {batch, 3, h, w}},
                      {"form", options.fold_obj ? "v8" : form_names[static_cast<int>(form)]},
                      {"classes", classes},
                      {"levels", net.network.levels.size()},
                      {"opset", options.opset},
                      {"half", options.half},
                      {"half_io", options.half_io},
                      {"conf", options.conf_thres},
                      {"iou", options.iou_thres},
                      {"agnostic", options.agnostic_nms},
                      {"most", options.topk_all}});
  }
  void finish() const { std::ofstream(folder_ / "cases.json") << nlohmann::json(cases_).dump(1); }

 private:
  fs::path folder_;
  std::vector<nlohmann::json> cases_;
  std::map<std::string, std::vector<double>> rows_;
};

std::vector<ExportOptions> forms() {
  std::vector<ExportOptions> all(5);
  all[1].grid = true;
  all[2].fold_obj = true;
  all[3].nms = true;
  all[4].end2end = true;
  return all;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) return 2;
  Fixture fixture(arguments[1]);
  const auto three = every_primitive(3), one = every_primitive(1);
  for (int opset = 12; opset <= 18; ++opset)
    for (ExportOptions options : forms())
      for (const int open : {0, 1, 2})
        for (const int half : {0, 1, 2}) {
          options.opset = opset, options.topk_all = 300;
          options.dynamic_batch = open == 1, options.dynamic = open == 2;
          options.batch_size = open == 0 ? batch : 1;
          options.half = half > 0, options.half_io = half == 2;
          if (half == 2 && output_form(options) == OutputForm::nms_plugin) continue;
          fixture.add("three", three, options);
        }
  for (ExportOptions options : forms())
    for (const bool strict : {false, true})
      for (const bool agnostic : {false, true}) {
        options.conf_thres = strict ? 0.001 : 0.25, options.iou_thres = strict ? 0.65 : 0.45;
        options.agnostic_nms = agnostic, options.batch_size = batch, options.topk_all = 300;
        fixture.add("three", three, options);
        fixture.add("one", one, options);
      }
  std::vector<NamedNetwork> singles = one_primitive_each();
  singles.push_back(inverted_residual());
  for (const NamedNetwork& single : singles)
    for (const int opset : {12, 13, 18}) {
      ExportOptions options;
      options.opset = opset, options.batch_size = batch, options.grid = true;
      fixture.add(single.name, single.model, options, 8, 12);
    }
  fixture.finish();
  return 0;
}
