#pragma once
// The classes of a converted set: those of the source, or those that are named, in their order.
#include <string>
#include <vector>

#include "dataset/formats/annotated_set.hpp"
#include "dataset/formats/conversion.hpp"

namespace yolov7::dataset {

/// Old class number → new one, or −1; `account.names` has the new ones. `names`: classes in this
/// order; empty = those of the source. Errors: a name twice; names of which the source has none; a
/// name that is not UTF-8.
std::vector<int> choose_classes(const AnnotatedSet& set, const std::vector<std::string>& names,
                                Conversion& account);
void warn_of_similar_names(const Conversion& account);

}  // namespace yolov7::dataset
