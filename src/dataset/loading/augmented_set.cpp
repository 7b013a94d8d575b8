#include "dataset/loading/augmented_set.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <opencv2/imgproc.hpp>

#include "core/file.hpp"
#include "core/json.hpp"
#include "core/progress.hpp"
#include "core/random.hpp"
#include "core/stop.hpp"
#include "core/threads.hpp"
#include "dataset/augment/operation.hpp"
#include "dataset/formats/output_folder.hpp"
#include "dataset/formats/yolo_layout.hpp"
#include "dataset/index/read_index.hpp"
#include "image/codec/codec.hpp"
#include "image/drawing/draw.hpp"
#include "image/letterbox.hpp"

namespace yolov7::dataset {
namespace fs = std::filesystem;
namespace {

Sample sample_of(const Entry& entry) {
  return to_sample(read_picture(entry.picture), entry.labels);
}

cv::Mat drawn(const Sample& sample, const std::vector<std::string>& names, int side) {
  LetterboxOptions options;
  options.automatic = false;
  const Letterbox g = letterbox_geometry(sample.picture.size(), {side, side}, options);
  cv::Mat picture = letterbox(sample.picture, g);
  std::vector<Detection> boxes;
  for (const Object& object : sample.objects)
    boxes.push_back({{object.box.x1 * g.ratio_x + g.dw, object.box.y1 * g.ratio_y + g.dh,
                      object.box.x2 * g.ratio_x + g.dw, object.box.y2 * g.ratio_y + g.dh},
                     1,
                     object.class_index});
  DrawOptions draw;
  draw.hide_conf = true;
  draw_detections(picture, boxes, names, draw);
  return picture;
}

/// What one version is called, and what was done to it.
struct Version {
  fs::path source, staged;
  std::string name;
  std::vector<std::string> applied;
  std::vector<Label> labels;
  std::size_t objects_before = 0;
};

std::vector<Version> write_versions(const Index& index, const AugmentList& list,
                                    const AugmentedCopyOptions& o, const fs::path& staging) {
  const auto times = static_cast<std::size_t>(o.times);
  std::vector<Version> versions(index.entries.size() * times);
  Progress progress("augment", versions.size(), "images");
  parallel_for(versions.size(), threads_or_all(o.threads), [&](std::size_t i) {
    check_stop(o.stop);
    const std::size_t entry = i / times;
    const int number = static_cast<int>(i % times) + 1;
    const AugmentedSample result = augmented(index, entry, list, o.seed, number);
    Version& v = versions[i];
    v.source = index.entries[entry].picture;
    v.name = fmt::format("{}_aug{}", v.source.stem().string(), number);
    v.applied = result.applied;
    v.objects_before = index.entries[entry].labels.size();
    for (const Object& object : result.sample.objects)
      v.labels.push_back(to_label(object, result.sample.picture.size()));
    // A folder each, for two folders of the data set may have a picture of the same name.
    v.staged = staging / std::to_string(i) / (v.name + ".jpg");
    file::make_folder(v.staged.parent_path());
    file::write_atomically(v.staged, encode_jpeg(result.sample.picture, o.jpeg_quality),
                           file::Sync::later);
    progress.advance();
  });
  return versions;
}

}  // namespace

AugmentedSample augmented(const Index& index, std::size_t entry, const AugmentList& list,
                          std::uint64_t seed, int version) {
  AugmentedSample result{sample_of(index.entries[entry]), {}};
  TransformContext context;
  context.applied = &result.applied;
  context.other = [&](Random& random) {
    return sample_of(index.entries[static_cast<std::size_t>(
        random.integer(0, static_cast<std::int64_t>(index.entries.size()) - 1))]);
  };
  const auto stream = [&](std::size_t step) {
    return Random(seed, static_cast<std::uint32_t>(version), static_cast<std::uint32_t>(entry),
                  augment_operations + 64 * static_cast<std::uint32_t>(step));
  };
  for (const Stage stage : {Stage::picture, Stage::mixing, Stage::policy, Stage::geometry,
                            Stage::pixels, Stage::erasing})
    list.run(stage, result.sample, stream, context);
  return result;
}

cv::Mat preview_sheet(const Index& index, std::span<const std::size_t> entries,
                      const AugmentList& list, std::uint64_t seed, int versions, int side,
                      const std::stop_token& stop) {
  constexpr int gap = 4;
  const int columns = versions + 1, rows = static_cast<int>(entries.size());
  cv::Mat sheet(rows * (side + gap) + gap, columns * (side + gap) + gap, CV_8UC3,
                cv::Scalar::all(255));
  const auto put = [&](const cv::Mat& picture, int row, int column) {
    picture.copyTo(
        sheet(cv::Rect(gap + column * (side + gap), gap + row * (side + gap), side, side)));
  };
  for (int row = 0; row < rows; ++row) {
    check_stop(stop);
    const std::size_t entry = entries[static_cast<std::size_t>(row)];
    put(drawn(sample_of(index.entries[entry]), index.names, side), row, 0);
    for (int v = 1; v <= versions; ++v)
      put(drawn(augmented(index, entry, list, seed, v).sample, index.names, side), row, v);
  }
  return sheet;
}

AugmentedCopyReport write_augmented_copy(const Description& description, const Value& text,
                                         const AugmentedCopyOptions& o, const fs::path& out) {
  require_empty(out);
  require_outside(out, description);
  const AugmentList list = AugmentList::parse(text);
  AugmentedCopyReport report;
  build_folder(out, [&](const fs::path& folder) {
    const fs::path staging = folder / "staging";  // removed before the folder gets its name
    std::vector<ExportSplit> splits;
    std::vector<Version> versions;
    for (const char* split : {"train", "val", "test"}) {
      if (std::string(split) != "train" && description.split(split).empty()) continue;
      IndexOptions reading;
      reading.stop = o.stop;
      const Index index = read_index(description, split, reading);
      splits.push_back(export_split(index));
      if (std::string(split) != "train") continue;
      report.originals = index.entries.size();
      versions = write_versions(index, list, o, staging);
      for (const Version& v : versions) {
        splits.back().items.push_back({v.staged, v.labels, true});
        report.objects_before += v.objects_before;
        report.objects_after += v.labels.size();
      }
    }
    report.written = versions.size();
    const ExportReport exported =
        export_yolo(folder, description.names, splits, /*hard_link=*/false, o.stop);
    fs::remove_all(staging);
    const std::map<fs::path, std::string> renamed(exported.renamed.begin(), exported.renamed.end());
    // Two folders may have an image of one name: both are named as they are in the copy.
    const auto name_of = [&](const fs::path& path) {
      const auto known = renamed.find(path);
      return known == renamed.end() ? path.filename().string() : known->second;
    };
    nlohmann::json pictures = nlohmann::json::array();
    for (const Version& v : versions)
      pictures.push_back({{"picture", name_of(v.staged)},
                          {"source", name_of(v.source)},
                          {"applied", v.applied},
                          {"objects_before", v.objects_before},
                          {"objects", v.labels.size()}});
    file::write_atomically(folder / "augment.json",
                           json_text({{"augment", yaml_flow(text)},
                                      {"seed", o.seed},
                                      {"times", o.times},
                                      {"pictures", pictures}},
                                     2) +
                               "\n",
                           file::Sync::later);
  });
  return report;
}

}  // namespace yolov7::dataset
