#pragma once
// A labelled set with further training images: its own, into which objects of its rare classes are
// pasted (docs/synthetic.md).
#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/formats/conversion.hpp"
#include "dataset/paste/paste_plan.hpp"

namespace yolov7::dataset {

struct PasteOptions {
  std::filesystem::path data, out;
  std::string to = "yolo";   ///< format of the result
  std::string cut = "auto";  ///< as in cut_out()
  PastePlanOptions plan;
  double least_visible = 0.5;  ///< an object of which less would be seen is never covered so far
  /// Share of the pastes that may cover a part of another object; the others may where no free
  /// place is found.
  double occlusion = 0.3;
  bool match_light = true;
  bool hard_link = false;  ///< images of the set that stay as they are
  int threads = 0;         ///< 0 = usable cores; the files do not depend on it
  std::stop_token stop = {};
};

struct PasteClass {
  std::string name;
  std::size_t before = 0, wanted = 0, planned = 0;
  std::size_t pasted = 0, not_cut = 0, no_place = 0;  ///< of those planned
  std::size_t copied = 0;   ///< objects of the backgrounds of drawn images …
  std::size_t covered = 0;  ///< … of these and the pasted, those of which a part is covered
  std::size_t dropped = 0;  ///< … and those of which too little is seen: no label
  std::size_t after = 0;    ///< in the training images: before + pasted + copied − dropped
  std::size_t sources = 0;
  std::size_t by_polygon = 0, by_grabcut = 0, by_box = 0;  ///< of those pasted
  ClassSources left_out;                                   ///< counts; without the sources
};

struct PasteReport {
  std::vector<PasteClass> classes;
  std::size_t target = 0, train_before = 0, drawn = 0, unused = 0;  ///< images; unused: nothing
                                                                    ///< could be pasted
  std::size_t box_only = 0;  ///< polygons of covered objects that became boxes
  Conversion source;  ///< what could not be read of the set, and what the format has no place for
  nlohmann::json account() const;
};

/// Writes `out`, all or nothing, in any format that is written: every image of the set as it is,
/// and drawn images "<stem>_pasted<n>" in train. Objects that were pasted have the attributes
/// origin = "pasted" and pasted_from (the file), drawn images the tag origin = "drawn" (in YOLO
/// text both stand in annotations.extra.jsonl); paste.json has the counts. The same options give
/// the same bytes. Errors: as gather_set() and plan_pastes(); nothing is to be pasted, or could be;
/// `out` not empty or inside of the data; counts that do not add up (a defect of ours);
/// stopped_error().
PasteReport paste_set(const PasteOptions& options);

}  // namespace yolov7::dataset
