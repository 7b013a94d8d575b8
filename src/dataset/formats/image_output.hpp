#pragma once
// Images of a converted set in their new places.
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "dataset/formats/format.hpp"

namespace yolov7::dataset {

/// The file names of the images, told apart within folder_of(split): where two have one stem, the
/// later one gets "_2", "_3" …, which the account names. Control characters, and bytes that are
/// not UTF-8, become underscores, since JSON, XML and lists would name another file.
std::vector<std::string> image_names(
    const Writing& writing, const std::function<std::string(const std::string& split)>& folder_of);
/// Copies every image (hard links where the file system can and it is wanted) to
/// <folder>/<folder_of(split)>/<name> with image_names(). Returns the new paths, relative to
/// `folder`, in the order of the set. Errors: an image that cannot be copied, a full disk,
/// stopped_error().
std::vector<std::filesystem::path> copy_images(
    const Writing& writing, const std::function<std::string(const std::string& split)>& folder_of);

/// Copies every image as frame_000000, frame_000001, … in the order of the set. Errors as
/// copy_images().
void copy_frames(const Writing& writing, const std::string& folder);

/// The splits of the set, train, val and test first, each once.
std::vector<std::string> splits_of(const AnnotatedSet& set);
/// The polygon that stands for the object in formats which have either a polygon or a box: one
/// ring, whose own box is that of the object to 0.01 px. Otherwise a reader would take another box
/// from it. nullptr: write the box.
const Ring* sole_polygon(const AnnotatedObject& object);
const std::string& class_name(const Writing& writing, const AnnotatedObject& object);
/// A text file of the output, made safe with the whole folder. Errors: a full disk,
/// stopped_error().
void write_text_file(const Writing& writing, const std::filesystem::path& relative,
                     const std::string& content);

}  // namespace yolov7::dataset
