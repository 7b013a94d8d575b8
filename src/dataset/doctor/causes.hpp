#pragma once
// Why rows are no boxes: which layout the whole set has, and which layout a file or a row has that
// does not follow it. Decided on all rows together, by three kinds of evidence: whether the
// numbers are boxes inside their images, whether the boxes have the sizes that the class has
// elsewhere, and whether the boxes stand out from what lies around them (data-services D1).
#include <string>
#include <unordered_set>

#include "dataset/doctor/file_causes.hpp"

namespace yolov7::dataset::doctor {

struct Causes {
  Layout set_layout;         ///< of most files
  std::string set_evidence;  ///< why, where it is not the format's own
  bool one_based = false;    ///< classes are counted from 1 in the whole set
  std::string class_evidence;
  /// Files that do not follow the format itself; the whole set's where set_layout is another.
  FileVerdicts files;
};

/// Images that were measured quickly alone and on which a cause, or which of two equal label files
/// is the copy, may hang: they must be measured whole (contrast.hpp). Asked again and again until
/// there are none, because what is settled of some files tells more about others.
std::unordered_set<const Picture*> unsettled(const Subject& subject);
/// Of a subject without unsettled() images.
Causes find_causes(const Subject& subject);

}  // namespace yolov7::dataset::doctor
