// yolov7 dataset synth --out DIR
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "core/interrupt.hpp"
#include "dataset/synth/synth.hpp"

namespace yolov7::cli {
namespace {

struct SynthVerbOptions {
  dataset::SynthOptions synth;
  std::string out;
  int seed = 0;
};

Settings settings(SynthVerbOptions& o) {
  constexpr int most_pictures = 1'000'000;  // file names have six digits
  return Settings{
      "dataset synth",
      {
          setting("out", o.out, "new or empty folder for the data set").positional(),
          setting("level", o.synth.level,
                  "standard: eight shapes among distractors; easy: three big clear shapes, for a "
                  "demonstration; formula: 64 classes in fractal textures, half the images "
                  "crowds of a few kinds, for a first training")
              .choices({"standard", "easy", "formula"}),
          setting("train", o.synth.train, "images for training").range(0, most_pictures),
          setting("val", o.synth.val, "images for validation").range(1, most_pictures),
          setting("test", o.synth.test, "images for testing").range(0, most_pictures),
          setting("img-size", o.synth.image_size, "longer side of the images, pixels")
              .range(32, 8192),
          setting("seed", o.seed, "the same seed gives the same files").range(0, 2147483647),
          setting("classes", o.synth.classes, "the first so many of the level's classes, 0 = all")
              .range(0, 64),
          setting("polygons", o.synth.polygons, "labels as polygons instead of boxes"),
          setting("workers", o.synth.threads, "threads, 0 = usable cores").range(0, 1024),
      }};
}

}  // namespace

nlohmann::json run_dataset_synth(const std::vector<std::string>& arguments, Output& output) {
  SynthVerbOptions options;
  if (!parse_arguments(settings(options), arguments, output)) return {};
  if (options.out.empty())
    throw usage_error("dataset synth: expected --out with a folder, found none");
  options.synth.seed = static_cast<std::uint64_t>(options.seed);
  options.synth.stop = interrupt::token();
  const dataset::SynthReport report = dataset::synthesize(options.synth, options.out);
  for (const dataset::SynthSplit& split : report.splits)
    output.line(fmt::format("{}: {} images ({} without objects), {} objects", split.name,
                            split.pictures, split.empty, split.objects));
  output.line(fmt::format("{}/data.yaml: level {}, {} classes, seed {}", options.out,
                          options.synth.level, report.names.size(), options.seed));
  nlohmann::json result = dataset::to_json(options.synth, report);
  result["out"] = options.out;
  return result;
}

}  // namespace yolov7::cli
