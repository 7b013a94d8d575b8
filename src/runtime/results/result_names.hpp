#pragma once
// What the results of each image, video and stream are called, below the run folder (evaluation
// 3.6, 3.9).
#include <cstddef>
#include <filesystem>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/frames/frames.hpp"
#include "runtime/frames/sources.hpp"

namespace yolov7::runtime {

/// The names of one source, as core/output_names gives them.
struct SourceNames {
  FrameKind kind = FrameKind::picture;
  std::string source;               ///< path or address, without credentials
  std::filesystem::path annotated;  ///< image or video
  std::filesystem::path stem;       ///< of label files and crops; frames have numbers behind it
  std::filesystem::path tracks;     ///< one for a video, a stream, or a folder of images
  std::string image_id;             ///< JSON; of frames the text in front of their number
};

class ResultNames {
 public:
  explicit ResultNames(const SourceList& sources);

  const std::vector<SourceNames>& all() const { return all_; }
  std::filesystem::path annotated(const Frame& frame) const { return of(frame).annotated; }
  std::filesystem::path labels(const Frame& frame) const;
  std::filesystem::path tracks(const Frame& frame) const { return of(frame).tracks; }
  /// `class_folder` is one name, `number` that of the object in the frame.
  std::filesystem::path crop(const Frame& frame, const std::string& class_folder,
                             std::size_t number) const;
  std::string image_id(const Frame& frame) const;  ///< JSON

  /// Warnings, empty where there is nothing to say: which label files and crops have another name
  /// than their source; that image ids are numbers, and why.
  std::string stems_told_apart() const { return stems_told_apart_; }
  std::string ids_are_numbers() const { return ids_are_numbers_; }

 private:
  const SourceNames& of(const Frame& frame) const;
  std::filesystem::path item(const Frame& frame) const;
  void name_annotated();
  void name_stems();
  void name_tracks();
  void name_ids();

  std::vector<SourceNames> all_;
  std::vector<std::filesystem::path> relatives_;
  std::unordered_map<std::string, std::size_t> by_relative_;
  std::string stems_told_apart_, ids_are_numbers_;
};

/// The label file of a source with one result; of others it goes by the frame.
std::filesystem::path label_file(const std::filesystem::path& stem);

}  // namespace yolov7::runtime
