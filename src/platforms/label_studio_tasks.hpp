#pragma once
// How images and tasks of Label Studio are told apart, and what a project must have for them.
#include <string>
#include <vector>

#include "dataset/formats/annotated_set.hpp"
#include "platforms/label_studio.hpp"

namespace yolov7::platforms {

/// The content hash of each image; the second of equal ones has "-2" behind it, and so on.
std::vector<std::string> task_keys(const dataset::AnnotatedSet& set);

/// The name of an upload: 12 digits of the key ("x2" behind those of a second image), then what the
/// image is called, cut at 40 bytes, because the server cuts long names.
std::string upload_name(const dataset::AnnotatedImage& image, const std::string& key);
/// The first part of that name, and the same from a path of the server,
/// "upload/7/<8 hex>-<mark>_name.png"; "" where there is none.
std::string mark_of(const std::string& key);
std::string mark_in(const std::string& path);

/// Error: a class or a kind of shape that the project's configuration lacks. The server would take
/// it, and show nothing.
void require_classes(const dataset::AnnotatedSet& set, const LabelProject& project);

}  // namespace yolov7::platforms
