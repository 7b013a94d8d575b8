#include "platforms/roboflow_upload.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/progress.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "dataset/formats/format_table.hpp"
#include "dataset/formats/image_output.hpp"
#include "dataset/formats/json_fields.hpp"

namespace yolov7::platforms {
namespace fs = std::filesystem;
using dataset::member;
using nlohmann::json;
namespace {

constexpr std::uint64_t most_image_bytes = std::uint64_t{1} << 30;

std::string media_type_of(const fs::path& file) {
  const std::string ending = text::lower(file.extension().string());
  if (ending == ".png") return "image/png";
  if (ending == ".webp") return "image/webp";
  if (ending == ".bmp") return "image/bmp";
  if (ending == ".tif" || ending == ".tiff") return "image/tiff";
  return "image/jpeg";
}

/// Roboflow's name of a split.
std::string split_of(const std::string& split) { return split == "val" ? "valid" : split; }

struct Uploading {
  Roboflow& service;
  const std::string& project;
  const RoboflowUploadOptions& options;
  Journal& journal;
  const std::vector<std::string> classes;
  RoboflowUpload& result;
};

/// A good status with an answer that is none.
Refusal no_answer(const Uploading& work, const std::string& expected, const json& answer) {
  constexpr int ok = 200;
  return {fmt::format("{}, found {}", expected,
                      work.service.service().client().shown(http::complaint(json_text(answer)))),
          ok};
}

/// The id of the image on the service; sent unless the journal has it.
std::string send_image(Uploading& work, const dataset::AnnotatedImage& image,
                       const std::string& key) {
  std::string id = work.journal.get(key, "image");
  if (!id.empty()) {
    ++work.result.images_known;
    return id;
  }
  const json answer =
      work.service.upload(work.project,
                          {image.file.filename().string(), split_of(image.split),
                           media_type_of(image.file), file::read(image.file, most_image_bytes)},
                          work.options.batch, work.options.tags);
  const json* duplicate = member(answer, "duplicate");
  id = dataset::id_of(member(answer, "id")).value_or("");
  if (id.empty())
    throw no_answer(work, "expected the id of the image in the service's answer", answer);
  ++(duplicate != nullptr && duplicate->is_boolean() && duplicate->get<bool>()
         ? work.result.duplicates
         : work.result.images);
  work.journal.set(key, "image", id);
  return id;
}

void send_annotation(Uploading& work, const dataset::AnnotatedImage& image, const std::string& key,
                     const std::string& id) {
  if (image.state == dataset::ImageState::not_annotated) return;
  const std::string rows = roboflow_rows(image),
                    step = work.options.predictions ? "prediction" : "annotation",
                    mark = file::content_hash(rows + "\n" + text::join(work.classes, "\n"));
  const std::string before = work.journal.get(key, step);
  if (before == mark && !work.options.overwrite) return;
  const bool replaces = work.options.overwrite || !before.empty();
  const json answer = work.service.annotate(
      work.project, id,
      {image.file.stem().string() + ".txt", rows, work.classes, work.options.predictions, replaces},
      work.options.batch);
  const json* success = member(answer, "success");
  if (success == nullptr || !success->is_boolean() || !success->get<bool>()) {
    if (replaces) throw no_answer(work, "expected the annotation to be taken", answer);
    ++work.result.annotations_kept;  // no entry of the journal: a later call must not replace it
    return;
  }
  ++work.result.annotations;
  work.journal.set(key, step, mark);
}

}  // namespace

std::string roboflow_rows(const dataset::AnnotatedImage& image) {
  std::string rows;
  for (const dataset::AnnotatedObject& object : image.objects) {
    rows += std::to_string(object.class_index);
    if (const dataset::Ring* polygon = dataset::sole_polygon(object)) {
      for (const dataset::Point& p : *polygon)
        rows += fmt::format(" {} {}", p.x / image.width, p.y / image.height);
    } else {
      const CxcywhNormalized box = to_normalized(object.box, image.width, image.height);
      rows += fmt::format(" {} {} {} {}", box.cx, box.cy, box.w, box.h);
    }
    rows += "\n";
  }
  return rows;
}

std::vector<dataset::ConversionLoss> roboflow_losses(const dataset::AnnotatedSet& set) {
  std::vector<dataset::ConversionLoss> lost;
  for (const dataset::Loss& loss : losses(set, dataset::format_named("yolo", "yolo")))
    lost.push_back({loss.what, loss.count, ""});
  return lost;
}

RoboflowUpload upload_set(Roboflow& service, const std::string& project,
                          const dataset::AnnotatedSet& set, const RoboflowUploadOptions& options,
                          Journal& journal) {
  RoboflowUpload result;
  Uploading work{service, project, options, journal, names_of(set), result};
  Progress progress("uploading", set.images.size(), "images");
  for (const dataset::AnnotatedImage& image : set.images) {
    check_stop(service.service().stop());
    const std::string key = image.content_hash + " " + image.file.filename().string();
    try {
      send_annotation(work, image, key, send_image(work, image, key));
    } catch (const Refusal& refusal) {
      if (refusal.status == 401 || refusal.status == 403) throw;
      result.failed.emplace_back(image.file.string(), refusal.what());
    }
    progress.advance();
  }
  return result;
}

}  // namespace yolov7::platforms
