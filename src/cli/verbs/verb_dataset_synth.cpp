// yolov7 dataset synth --out DIR [--from DATA]
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/verb.hpp"
#include "core/interrupt.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "dataset/formats/format_table.hpp"
#include "dataset/paste/paste_set.hpp"
#include "dataset/synth/synth.hpp"

namespace yolov7::cli {
namespace {

struct SynthVerbOptions {
  dataset::SynthOptions synth;
  dataset::PasteOptions paste;
  std::string out, from;
  int seed = 0, balance = 0;
};

constexpr const char *drawn = "Drawn shapes", *pasted = "Objects of a labelled set (--from)";

std::vector<Setting> paste_settings(SynthVerbOptions& o) {
  return group(
      pasted,
      {setting("from", o.from,
               "a labelled set, any format: it is written with further training images, its own, "
               "into which objects of its rare classes are pasted")
           .basic(),
       setting("balance", o.balance,
               "a class with fewer objects in train gets as many pasted as bring it here; 0 = the "
               "median of the classes")
           .range(0, 100'000'000)
           .basic(),
       setting("share", o.paste.plan.share,
               "drawn images are at most this share of train, and so of a batch on average")
           .range(0, 0.99),
       setting("per-image", o.paste.plan.per_image, "objects pasted into one image at most")
           .range(1, 1000),
       setting("cut", o.paste.cut,
               "how objects are cut out; auto = by their polygon, else GrabCut, else the whole box")
           .choices({"auto", "polygon", "grabcut", "box"}),
       setting("occlusion", o.paste.occlusion,
               "share of the pasted objects that may cover a part of others")
           .range(0, 1),
       setting("least-visible", o.paste.least_visible,
               "of the area of an object that is covered, this share stays visible at least")
           .range(0.1, 1),
       setting("to", o.paste.to, "format of the result").choices(dataset::writable_names()),
       setting("hard-link", o.paste.hard_link,
               "hard links instead of copies of the set's images")});
}

Settings settings(SynthVerbOptions& o) {
  constexpr int most_pictures = 1'000'000;  // file names have six digits
  const std::vector<Setting> shapes = group(
      drawn,
      {
          setting("level", o.synth.level,
                  "standard: eight shapes among distractors; easy: three big clear shapes, for a "
                  "demonstration; formula: 64 classes in fractal textures, half the images "
                  "crowds of a few kinds, for a first training")
              .choices({"standard", "easy", "formula"})
              .basic(),
          setting("train", o.synth.train, "images for training").range(0, most_pictures).basic(),
          setting("val", o.synth.val, "images for validation").range(1, most_pictures).basic(),
          setting("test", o.synth.test, "images for testing").range(0, most_pictures).basic(),
          setting("img-size", o.synth.image_size, "longer side of the images, pixels")
              .range(32, 8192)
              .basic(),
          setting("classes", o.synth.classes, "the first so many of the level's classes, 0 = all")
              .range(0, 64),
          setting(
              "skip-classes", o.synth.skip_classes,
              "leave out the first so many classes, and draw those behind them; with 64 none that "
              "--weights synth was trained on")
              .range(0, 128),
          setting("empty", o.synth.empty,
                  "share of the images without objects; -1 = the level's, a tenth or none")
              .range(-1, 1),
          setting("zipf", o.synth.zipf,
                  "the k-th class is drawn in proportion to 1 / k to this power; 0 = all alike")
              .range(0, 10),
          setting("frames", o.synth.frames,
                  "share of the training images that show a scene of another one again: a camera "
                  "that moved a little")
              .range(0, 0.99),
          setting("polygons", o.synth.polygons, "labels as polygons instead of boxes"),
      });
  return {
      "dataset synth",
      joined({{setting("out", o.out, "new or empty folder for the data set").positional().basic(),
               setting("seed", o.seed, "the same seed gives the same files")
                   .range(0, 2147483647)
                   .basic(),
               setting("workers", o.synth.threads, "threads, 0 = usable cores").range(0, 1024)},
              shapes,
              paste_settings(o)})};
}

/// Options of one way without effect in the other are an error.
void require_one_way(const Settings& table, const std::vector<std::string>& given, bool from) {
  for (const Setting& one : table.entries)
    if (one.group == (from ? drawn : pasted) && text::contains(given, one.name))
      throw usage_error(fmt::format("dataset synth: --{} is of use {} --from alone", one.name,
                                    from ? "without" : "with"));
}

nlohmann::json run_paste(SynthVerbOptions& o, Output& output) {
  o.paste.data = o.from, o.paste.out = o.out;
  o.paste.plan.seed = static_cast<std::uint64_t>(o.seed);
  o.paste.plan.balance = static_cast<std::size_t>(o.balance);
  o.paste.threads = o.synth.threads;
  o.paste.stop = interrupt::token();
  const dataset::PasteReport report = dataset::paste_set(o.paste);
  output.line(
      fmt::format("train: {} images, and {} drawn ones", report.train_before, report.drawn));
  for (const dataset::PasteClass& one : report.classes) {
    if (one.wanted == 0) continue;
    output.line(fmt::format(
        "{}: {} objects, {} pasted of {} that {} need ({} by polygon, {} by GrabCut, {} whole "
        "boxes; {} could not be cut, {} found no place); with the backgrounds' {} now",
        text::printable(one.name), one.before, one.pasted, one.wanted,
        fmt::format("{} objects", report.target), one.by_polygon, one.by_grabcut, one.by_box,
        one.not_cut, one.no_place, one.after));
    if (one.sources == 0)
      log::warning(fmt::format("class '{}': no object can be cut out ({} are below 8 px)",
                               text::printable(one.name), one.left_out.too_small));
    else if (one.left_out.second_choice)
      log::warning(fmt::format(
          "class '{}': every object lies at a border or under another one; these are pasted",
          text::printable(one.name)));
  }
  std::vector<std::string> reasons;
  dataset::add_reasons(report.source, "paste.json", reasons);
  for (const std::string& line : reasons) output.line(line);
  output.line(fmt::format("counts: {}/paste.json", o.out));
  nlohmann::json result = report.account();
  result["out"] = o.out;
  return result;
}

}  // namespace

nlohmann::json run_dataset_synth(const std::vector<std::string>& arguments, Output& output) {
  SynthVerbOptions options;
  const Settings table = settings(options);
  if (!parse_arguments(table, arguments, output)) return {};
  if (options.out.empty())
    throw usage_error("dataset synth: expected --out with a folder, found none");
  require_one_way(table, given_names(table, arguments), !options.from.empty());
  if (!options.from.empty()) return run_paste(options, output);
  options.synth.seed = static_cast<std::uint64_t>(options.seed);
  options.synth.stop = interrupt::token();
  const dataset::SynthReport report = dataset::synthesize(options.synth, options.out);
  for (const dataset::SynthSplit& split : report.splits)
    output.line(fmt::format(
        "{}: {} images{} ({} without objects), {} objects", split.name, split.pictures,
        split.scenes < split.pictures ? fmt::format(" of {} scenes", split.scenes) : std::string(),
        split.empty, split.objects));
  output.line(fmt::format("{}/data.yaml: level {}, {} classes, seed {}", options.out,
                          options.synth.level, report.names.size(), options.seed));
  nlohmann::json result = dataset::to_json(options.synth, report);
  result["out"] = options.out;
  return result;
}

}  // namespace yolov7::cli
