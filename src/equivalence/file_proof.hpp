#pragma once
// Whether a written model file gives what the network gives that it was written from: both run on
// the same pictures, rows or detections are compared (export 0).
#include <cstddef>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "equivalence/file_accuracy.hpp"
#include "equivalence/parent.hpp"
#include "equivalence/proof.hpp"
#include "image/boxes/nms.hpp"
#include "runtime/detector.hpp"

namespace yolov7::equivalence {

enum class FilePrecision { float32, float16, int8 };
std::string_view name(FilePrecision precision);  ///< "float32"

/// How far a file may be from its parent.
struct FileLimits {
  double box = 1e-2;      ///< px, of centre and size
  double score = 1e-4;    ///< of objectness, class and their product
  double confident = 0;   ///< boxes of rows with a lower score are not compared
  double overlap = 1e-4;  ///< of an IoU from the threshold of suppression, where a pair may go
                          ///< either way
};
/// float32: 1e-2 px and 1e-4. float16: 1 px for rows above 0.25, and 1e-2. int8: none, what counts
/// is the accuracy.
FileLimits file_limits(FilePrecision precision);

/// Detections of both at the thresholds that are deployed. A pair is of one class and overlaps by
/// half at least, best score first.
struct DetectionChanges {
  double conf_thres = 0, iou_thres = 0;
  std::size_t parent = 0, file = 0;
  std::size_t matched = 0;  ///< pairs within the limits
  std::size_t moved = 0;    ///< pairs beyond them
  std::size_t lost = 0;     ///< the parent's alone
  std::size_t added = 0;    ///< the file's alone
};

struct FileProof {
  std::size_t pictures = 0, rows = 0;
  int slots = 1;  ///< images of a call of the file, each of which was compared
  double largest_box = 0, largest_score = 0;  ///< differences, over all rows that count
  DetectionChanges detections;
  std::string parent, file;          ///< descriptions of what ran
  std::optional<Accuracy> accuracy;  ///< where labelled images were given
  std::string breach;                ///< why the file is not its parent; "" = it is
  std::size_t breach_picture = 0;    ///< that showed it first
};

struct FileComparison {
  FilePrecision precision = FilePrecision::float32;
  FileLimits limits = {};
  bool folded_objectness = false;  ///< the file has products of objectness and class alone
  NmsOptions suppression = {};     ///< deployed, and baked into a file that suppresses
  int slots = 1;                   ///< images that a call of the file takes
  std::stop_token stop = {};
};

/// `parent`: its outputs for the same images, which are of one size where a call takes several: all
/// of a call are shown to the file, and each is compared. Counts are of each image once. Errors:
/// what running the file reports, stopped_error().
FileProof prove_file(const KnownOutputs& parent, runtime::Detector& file,
                     std::span<const ProofPicture> pictures, const FileComparison& comparison);

/// One line of the proof: "equal", "accuracy not measured" (int8 without labelled images), or
/// "within the accuracy budget" (int8).
std::string verdict(const FileProof& proof, FilePrecision precision);

}  // namespace yolov7::equivalence
