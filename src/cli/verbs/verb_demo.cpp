// yolov7 demo: draws a small data set, trains yolov7-tiny on it, measures and detects.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "api/training_library.hpp"
#include "cli/verb.hpp"
#include "core/text.hpp"

namespace yolov7::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

struct DemoOptions {
  int images = 240, epochs = 40, img_size = 160, seed = 0;
  std::string project = "runs", name = "demo";
};

Settings settings(DemoOptions& o) {
  return Settings{
      "demo",
      {setting("images", o.images,
               "training images that are drawn; besides, a sixth for validation and a quarter for "
               "the test")
           .range(1, 100'000),
       setting("epochs", o.epochs, "of the training").range(1, 10'000),
       setting("img-size", o.img_size, "side of the images in pixels").range(32, 1024),
       setting("seed", o.seed, "of the training; the images are always the same")
           .range(0, 2'147'483'647),
       setting("project", o.project, "parent of the folder with everything that is made"),
       setting("name", o.name, "name of that folder; a number is added where it exists")}};
}

/// The verbs one after the other, each with its own result.
class Demo {
 public:
  Demo(const DemoOptions& options, Output& output)
      : o_(options),
        output_(output),
        folder_(make_run_folder(options.project, options.name, false)) {}

  json run() {
    draw();
    if (train()) {
      measure();
      detect();
      tell();
    }
    result_["folder"] = folder_.string();
    return result_;
  }

 private:
  /// One verb. False: it did not end well, and nothing follows.
  bool step(const std::string& title, const char* key,
            json (*verb)(const std::vector<std::string>&, Output&),
            const std::vector<std::string>& arguments) {
    if (output_.code != ExitCode::done) return false;
    output_.line(fmt::format("\n== {}", title));
    std::fflush(stdout);  // before what the verb says on stderr
    Output own;
    own.json = output_.json;
    result_[key] = verb(arguments, own);
    output_.code = own.code;
    return own.code == ExitCode::done;
  }
  std::string in(const fs::path& path) const { return (folder_ / path).string(); }
  std::string size() const { return std::to_string(o_.img_size); }
  std::string best() const { return in("train/weights/best.pt"); }

  void draw() {
    step("Drawing a data set: level easy", "data", run_dataset_synth,
         {"--out", in("data"), "--level", "easy", "--train", std::to_string(o_.images), "--val",
          std::to_string(std::max(o_.images / 6, 1)), "--test",
          std::to_string(std::max(o_.images / 4, 1)), "--img-size", size(), "--seed", "1"});
  }
  bool train() {
    const auto start = std::chrono::steady_clock::now();
    const bool trained = step("Training yolov7-tiny on it, from scratch", "train", run_train,
                              {"--cfg",        "yolov7-tiny.yaml",
                               "--weights",    "",
                               "--data",       in("data/data.yaml"),
                               "--hyp",        "hyp.scratch.tiny.yaml",
                               "--img-size",   size(),
                               "--batch-size", "16",
                               "--epochs",     std::to_string(o_.epochs),
                               "--project",    folder_.string(),
                               "--name",       "train",
                               "--seed",       std::to_string(o_.seed)});
    seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return trained;
  }
  void measure() {
    step("Measuring on images that it has not seen (test split)", "val", run_val,
         {"--weights", best(), "--data", in("data/data.yaml"), "--task", "test", "--img-size",
          size(), "--project", folder_.string(), "--name", "val"});
  }
  void detect() {
    step("Detecting", "detect", run_detect,
         {"--weights", best(), "--source", in("data/images/test"), "--img-size", size(),
          "--project", folder_.string(), "--name", "detect", "--quiet"});
  }
  void tell() {
    if (output_.code != ExitCode::done) return;
    result_["training_seconds"] = seconds_;
    output_.line(
        fmt::format("\nTrained in {:.0f} s. Images with boxes: {}", seconds_, in("detect")));
    output_.line(fmt::format("Report of the training: {}", in("train/report.html")));
    output_.line(fmt::format("Your own images: yolov7 detect --weights {} --source DIR",
                             text::shell_word(best())));
  }

  const DemoOptions& o_;
  Output& output_;
  fs::path folder_;
  double seconds_ = 0;
  json result_ = json::object();
};

}  // namespace

json run_demo(const std::vector<std::string>& arguments, Output& output) {
  DemoOptions options;
  if (!parse_arguments(settings(options), arguments, output)) return {};
  api::training_library();  // before a folder is made
  return Demo(options, output).run();
}

}  // namespace yolov7::cli
