#include "dataset/synth/synth.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/random.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/threads.hpp"
#include "dataset/formats/output_folder.hpp"
#include "dataset/formats/yolo_layout.hpp"
#include "dataset/index/label.hpp"
#include "dataset/synth/synth_frames.hpp"
#include "image/codec/codec.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

/// Of the images: it rises with a change of any pixel or label. 2: an object that would cover no
/// pixel by more than half is drawn elsewhere (sides under some 100 px).
constexpr int generator_version = 2;
constexpr std::uint32_t quality_stream = 101;
constexpr int smallest_side = 32, largest_side = 8192;

/// Writes one picture with its labels and returns the objects' classes.
std::vector<int> write_one(const SynthOptions& o, const SynthLevel& level, const fs::path& folder,
                           const std::string& split_name, int split, std::size_t number,
                           const SynthShot& shot, bool empty) {
  SynthPicture drawn =
      draw_synth_picture(level, o.image_size, o.seed, split, shot.scene, empty, shot.frame);
  std::vector<int> classes;
  for (Label& label : drawn.labels) {
    classes.push_back(label.class_index);
    if (!o.polygons) label.polygon.clear();
  }
  Random random(o.seed, static_cast<std::uint32_t>(split), static_cast<std::uint32_t>(number),
                quality_stream);
  const int quality = static_cast<int>(random.integer(80, 95));
  const std::string stem = fmt::format("{:06}", number);
  file::write_atomically(folder / "images" / split_name / (stem + ".jpg"),
                         encode_jpeg(drawn.picture, quality), file::Sync::later);
  file::write_atomically(folder / "labels" / split_name / (stem + ".txt"),
                         format_labels(drawn.labels), file::Sync::later);
  return classes;
}

SynthSplit write_split(const SynthOptions& o, const SynthLevel& level, const fs::path& folder,
                       const std::string& name, int split, int count, std::string& scenes) {
  file::make_folder(folder / "images" / name);
  file::make_folder(folder / "labels" / name);
  const auto n = static_cast<std::size_t>(count);
  // Further frames are of use in a pool; where something is measured, each scene stands once.
  const std::vector<SynthShot> shots =
      synth_shots(name == "train" ? o.frames : 0, n, o.seed, split);
  const std::vector<bool> empty = empty_shots(level.empty_share, shots, o.seed, split);
  for (std::size_t i = 0; i < n; ++i)
    scenes += fmt::format("{},{:06}.jpg,{},{}\n", name, i, shots[i].scene, shots[i].frame);
  std::vector<std::vector<int>> classes(n);
  parallel_for(n, threads_or_all(o.threads), [&](std::size_t i) {
    check_stop(o.stop);
    classes[i] = write_one(o, level, folder, name, split, i, shots[i], empty[i]);
  });
  SynthSplit result;
  result.name = name;
  result.pictures = n;
  result.scenes = n == 0 ? 0 : shots.back().scene + 1;
  result.objects_per_class.assign(static_cast<std::size_t>(level.class_count()), 0);
  for (const auto& one : classes) {
    result.objects += one.size();
    if (one.empty()) ++result.empty;
    for (const int c : one) ++result.objects_per_class[static_cast<std::size_t>(c)];
  }
  return result;
}

/// More would need formulas that look alike.
constexpr int most_skipped = 128;

/// `wanted` kinds behind the first `skipped` ones of the sequence.
void choose_classes(int wanted, int skipped, SynthLevel& level) {
  const int shapes = static_cast<int>(level.shapes.size()), end = skipped + wanted;
  level.formulas = formulas(std::max(0, end - shapes));
  level.formulas.erase(level.formulas.begin(),
                       level.formulas.begin() + std::max(0, skipped - shapes));
  level.shapes.resize(static_cast<std::size_t>(std::min(end, shapes)));
  level.shapes.erase(level.shapes.begin(), level.shapes.begin() + std::min(skipped, shapes));
}

}  // namespace

SynthLevel synth_level(const SynthOptions& o) {
  const std::vector<std::string> levels{"easy", "standard", "formula"};
  if (std::find(levels.begin(), levels.end(), o.level) == levels.end())
    throw usage_error(
        fmt::format("dataset synth: expected level 'easy', 'standard' or 'formula', found '{}'{}",
                    o.level, text::did_you_mean(o.level, levels)));
  SynthLevel level = o.level == "easy"       ? easy_level()
                     : o.level == "standard" ? standard_level()
                                             : formula_level();
  if (o.train < 0 || o.val < 1 || o.test < 0)
    throw usage_error(
        fmt::format("dataset synth: expected at least 1 image in val and 0 in train and test, "
                    "found train {}, val {}, test {}",
                    o.train, o.val, o.test));
  if (o.image_size < smallest_side || o.image_size > largest_side)
    throw usage_error(fmt::format("dataset synth: expected an image size of {} to {} px, found {}",
                                  smallest_side, largest_side, o.image_size));
  const int most = level.class_count();
  if (o.classes < 0 || o.classes > most)
    throw usage_error(fmt::format("dataset synth: level '{}' has {} classes, found {}", o.level,
                                  most, o.classes));
  if (o.skip_classes < 0 || o.skip_classes > most_skipped)
    throw usage_error(fmt::format("dataset synth: expected to skip 0 to {} classes, found {}",
                                  most_skipped, o.skip_classes));
  choose_classes(o.classes > 0 ? o.classes : most, o.skip_classes, level);
  if (o.empty > 1 || o.frames < 0 || o.frames >= 1 || o.zipf < 0)
    throw usage_error(fmt::format(
        "dataset synth: expected a share of empty images of at most 1, one of further frames below "
        "1 and an exponent of 0 or more, found {}, {} and {}",
        text::general(o.empty), text::general(o.frames), text::general(o.zipf)));
  if (o.empty >= 0) level.empty_share = o.empty;
  level.zipf = o.zipf;
  return level;
}

SynthReport synthesize(const SynthOptions& o, const fs::path& out) {
  const SynthLevel level = synth_level(o);
  SynthReport report;
  for (int i = 0; i < level.class_count(); ++i) report.names.push_back(level.class_name(i));
  build_folder(out, [&](const fs::path& folder) {
    std::vector<std::pair<std::string, std::string>> entries;
    std::string scenes = "split,image,scene,frame\n";
    const std::vector<std::pair<std::string, int>> splits{
        {"train", o.train}, {"val", o.val}, {"test", o.test}};
    for (std::size_t i = 0; i < splits.size(); ++i) {
      const auto& [name, count] = splits[i];
      if (count == 0) continue;
      report.splits.push_back(
          write_split(o, level, folder, name, static_cast<int>(i), count, scenes));
      entries.emplace_back(name, "images/" + name);
    }
    file::write_atomically(folder / "data.yaml",
                           description_text(entries, report.names, {}, o.polygons),
                           file::Sync::later);
    if (o.frames > 0) file::write_atomically(folder / "scenes.csv", scenes, file::Sync::later);
    file::write_atomically(folder / "synth.json", json_text(to_json(o, report), 2) + "\n",
                           file::Sync::later);
  });
  return report;
}

nlohmann::json to_json(const SynthOptions& o, const SynthReport& report) {
  nlohmann::json splits = nlohmann::json::object();
  for (const SynthSplit& split : report.splits)
    splits[split.name] = {{"pictures", split.pictures},
                          {"scenes", split.scenes},
                          {"empty", split.empty},
                          {"objects", split.objects},
                          {"objects_per_class", split.objects_per_class}};
  return {{"generator_version", generator_version},
          {"level", o.level},
          {"seed", o.seed},
          {"image_size", o.image_size},
          {"polygons", o.polygons},
          {"zipf", o.zipf},
          {"frames", o.frames},
          {"names", report.names},
          {"splits", std::move(splits)}};
}

}  // namespace yolov7::dataset
