// Writes files of one format, an image to run them on, and what has to come out, for the scripts
// *_peer.py. Usage: format_fixture FORMAT FOLDER.
#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "exporting/format_table.hpp"
#include "tests/exporting/networks.hpp"
#include "tests/exporting/written_values.hpp"

namespace {

namespace fs = std::filesystem;
using namespace yolov7;
using namespace yolov7::exporting;
using namespace yolov7::testing;

class Fixture {
 public:
  Fixture(const Format& format, fs::path folder) : format_(format), folder_(std::move(folder)) {}

  void add(const std::string& network_name, const network::NetworkAndWeights& net,
           const ExportOptions& options, int height, int width) {
    const std::string name = fmt::format("{:03}-{}", cases_.size(), network_name),
                      file = options.mlmodel ? name + ".mlmodel"
                                             : fmt::format(fmt::runtime(format_.file_name), name);
    format_.write(export_model(net, height, width, options), options, folder_ / file);
    // Whole bytes of an image, since some formats take nothing else.
    std::vector<float> image = unit_noise(static_cast<std::size_t>(3 * height * width), 5);
    for (float& one : image) one = std::floor(one * 255) / 255;
    write_values(folder_ / (name + ".image"), image);
    const ReferenceOutputs expected = reference_outputs(net, image, 1, height, width);
    for (std::size_t j = 0; j < expected.raw.size(); ++j)
      write_values(folder_ / fmt::format("{}.raw{}", name, j), expected.raw[j]);
    write_values(folder_ / (name + ".rows"), expected.rows);
    cases_.push_back({{"name", name},
                      {"file", file},
                      {"shape", {3, height, width}},
                      {"form", output_form(options) == OutputForm::raw ? "raw"
                               : options.fold_obj                      ? "v8"
                               : options.nms                           ? "nms"
                                                                       : "v5"},
                      {"classes", net.network.class_count},
                      {"anchors", net.network.anchors_per_level},
                      {"levels", net.network.levels.size()},
                      {"agnostic", options.agnostic_nms},
                      {"mlmodel", options.mlmodel},
                      {"int8", options.int8},
                      {"half", options.half}});
  }
  void finish() const { std::ofstream(folder_ / "cases.json") << nlohmann::json(cases_).dump(1); }

 private:
  const Format& format_;
  fs::path folder_;
  std::vector<nlohmann::json> cases_;
};

/// Weights in steps of a sixteenth: fewer than 256 different ones, so that a palette is exact.
network::NetworkAndWeights stepped() {
  HandNetwork net;
  const auto layer = [&](int value, int in, int out, std::uint32_t seed) {
    std::vector<float> weights = noise(static_cast<std::size_t>(in * out * 9), seed, 0.5F);
    for (float& one : weights) one = std::nearbyint(16 * one) / 16;
    return net.activation(
        network::ActivationKind::leaky_relu,
        net.conv(value, in, out, weights, noise(static_cast<std::size_t>(out), seed), 3), 0.1);
  };
  net.level(noisy_conv(net, layer(layer(0, 3, 8, 1), 8, 16, 2), 16, 6, 3), 1, 1);
  return {net.network(), net.weights()};
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  const Format& chosen = format(arguments[1]);
  Fixture fixture(chosen, arguments[2]);
  // Core ML's older form, where the format has it.
  const std::vector<bool> kinds =
      honours(chosen, "mlmodel") ? std::vector<bool>{false, true} : std::vector<bool>{false};
  for (const bool older : kinds)
    for (const int classes : {1, 3})
      for (const bool half : {false, true})
        for (const int form : {0, 1, 2, 3, 4}) {
          ExportOptions options;
          options.mlmodel = older;
          options.half = half, options.grid = form == 1, options.fold_obj = form == 2;
          options.nms = form > 2, options.agnostic_nms = form == 4;
          if (!options.nms || honours(chosen, "nms"))
            fixture.add(classes == 1 ? "one" : "three", every_primitive(classes), options, 64, 48);
        }
  std::vector<NamedNetwork> singles = one_primitive_each();
  singles.push_back(inverted_residual());
  for (const bool older : kinds)
    for (const NamedNetwork& single : singles)
      for (const bool grid : {false, true}) {
        ExportOptions options;
        options.grid = grid, options.mlmodel = older;
        fixture.add(single.name, single.model, options, 8, 12);
      }
  if (chosen.read_weights != nullptr)
    for (const bool nms : {false, true}) {
      ExportOptions options;
      options.int8 = true, options.nms = nms;
      fixture.add("palettes", stepped(), options, 16, 24);
    }
  fixture.finish();
  return 0;
}
