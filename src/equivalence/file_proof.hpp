#pragma once
// Whether a written model file gives what the network gives that it was written from: both run on
// the same pictures, rows or detections are compared (export 0).
#include <cstddef>
#include <span>
#include <string>

#include "equivalence/proof.hpp"
#include "image/boxes/nms.hpp"
#include "runtime/detector.hpp"

namespace yolov7::equivalence {

/// How far a file may be from its parent.
struct FileLimits {
  double box = 1e-2;      ///< px, of centre and size
  double score = 1e-4;    ///< of objectness, class and their product
  double confident = 0;   ///< boxes of rows with a lower score are not compared
  double overlap = 1e-4;  ///< of an IoU from the threshold of suppression, where a pair may go
                          ///< either way
};
/// float32: 1e-2 px and 1e-4. float16: 1 px for rows above 0.25, and 1e-2.
FileLimits file_limits(bool half);

struct FileProof {
  std::size_t pictures = 0, rows = 0;
  double largest_box = 0, largest_score = 0;  ///< differences, over all rows that count
  std::size_t expected = 0, found = 0;        ///< detections, where the file suppresses
  std::string parent, file;                   ///< descriptions of what ran
  std::string breach;                         ///< why the file is not its parent; "" = it is
};

struct FileComparison {
  FileLimits limits;
  bool folded_objectness = false;  ///< the file has products of objectness and class alone
  NmsOptions suppression;          ///< what is baked into a file that suppresses
};

/// Errors: what running the two reports.
FileProof prove_file(runtime::Detector& parent, runtime::Detector& file,
                     std::span<const ProofPicture> pictures, const FileComparison& comparison);

}  // namespace yolov7::equivalence
