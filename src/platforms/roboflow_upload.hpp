#pragma once
// An annotated set into a Roboflow project, image by image, with a journal (data-services C3).
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "dataset/formats/annotated_set.hpp"
#include "dataset/formats/conversion.hpp"
#include "platforms/journal.hpp"
#include "platforms/roboflow.hpp"

namespace yolov7::platforms {

struct RoboflowUploadOptions {
  std::string batch = "yolov7.cpp";
  std::vector<std::string> tags;
  bool predictions = false;  ///< objects are predictions of a model, for people to look at
  bool overwrite = false;    ///< replace annotations that the service has already
};

struct RoboflowUpload {
  std::size_t images = 0, annotations = 0;  ///< sent by this call
  std::size_t images_known = 0;             ///< sent by an earlier call, by the journal
  std::size_t duplicates = 0;               ///< that the service had already
  std::size_t annotations_kept = 0;         ///< that the service has, and keeps
  std::vector<std::pair<std::string, std::string>> failed;  ///< image and reason
};

/// `set` is prepared. An image that the service refuses is a failure by name, and the next one
/// follows; so is one whose annotation is refused. Errors: 401 and 403, no connection,
/// stopped_error(); the journal keeps what was sent until then.
RoboflowUpload upload_set(Roboflow& service, const std::string& project,
                          const dataset::AnnotatedSet& set, const RoboflowUploadOptions& options,
                          Journal& journal);

/// YOLO rows of the image's objects, in the shortest digits that give the same number again:
/// polygons where the polygon stands for the object, else boxes.
std::string roboflow_rows(const dataset::AnnotatedImage& image);
/// What an upload has no place for, by name and number.
std::vector<dataset::ConversionLoss> roboflow_losses(const dataset::AnnotatedSet& set);

}  // namespace yolov7::platforms
