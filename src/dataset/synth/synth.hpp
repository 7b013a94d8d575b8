#pragma once
// The built-in data set generator: pictures with exact boxes and polygons, from a seed alone.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/synth/synth_scene.hpp"

namespace yolov7::dataset {

struct SynthOptions {
  std::string level = "standard";  ///< "easy", "standard" or "formula"
  int train = 800, val = 100, test = 100;
  int image_size = 640;  ///< longer side, pixels
  std::uint64_t seed = 0;
  int classes = 0;  ///< the first so many of the level's; 0 = all
  /// So many of the sequence of all kinds (the level's shapes, then formulas without end) are left
  /// out, and the classes are the next ones of it.
  int skip_classes = 0;
  double empty = -1;      ///< share of the images without objects; below 0 = the level's
  double zipf = 0;        ///< classes by Zipf's law with this exponent; 0 = all alike
  double frames = 0;      ///< share of the training images that show a scene of another one again
  bool polygons = false;  ///< labels as polygons instead of boxes
  int threads = 0;        ///< 0 = usable cores; the files do not depend on it
  std::stop_token stop = {};
};

struct SynthSplit {
  std::string name;
  std::size_t pictures = 0, empty = 0, objects = 0;
  std::size_t scenes = 0;  ///< as many as pictures, but for those that show a scene again
  std::vector<std::size_t> objects_per_class;
};

struct SynthReport {
  std::vector<std::string> names;
  std::vector<SynthSplit> splits;
};

/// Errors (usage): unknown level, counts below 0 or no val, image size outside 32 … 8192, more
/// classes than the level has, more than 128 skipped, shares outside 0 … 1, an exponent below 0.
SynthLevel synth_level(const SynthOptions& options);

/// Writes images/<split>/NNNNNN.jpg, labels/<split>/NNNNNN.txt, data.yaml and synth.json to `out`,
/// all or nothing; with `frames` also scenes.csv (split, image, scene, frame). The same options
/// give the same bytes. A box is the extent of the whole shape, cut at the border, also where
/// another object covers part of it (never more than half). Errors: as synth_level(); `out` is
/// neither absent nor empty; a full disk; stopped_error().
SynthReport synthesize(const SynthOptions& options, const std::filesystem::path& out);
nlohmann::json to_json(const SynthOptions& options, const SynthReport& report);

}  // namespace yolov7::dataset
