#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "versions/diff.hpp"
#include "versions/merge.hpp"

namespace yolov7::versions {
namespace {

using ClassEntry = ClassList::Entry;

/// The class of a side that is class i of the base; nullptr: removed there.
const ClassEntry* of_side(const ClassList& side, const std::vector<int>& map, std::size_t i) {
  return map[i] < 0 ? nullptr : &side.classes[static_cast<std::size_t>(map[i])];
}

/// "cat", "cat (id 3, colour #ff0000)": what tells classes of one name apart.
std::string described(const ClassEntry& one) {
  std::vector<std::string> parts;
  if (!one.id.empty()) parts.push_back("id " + one.id);
  if (!one.supercategory.empty()) parts.push_back("supercategory " + one.supercategory);
  if (!one.colour.empty()) parts.push_back("colour " + one.colour);
  return parts.empty() ? one.name : fmt::format("{} ({})", one.name, text::join(parts, ", "));
}

std::string key_points_of(const ClassList& list) {
  return list.key_points == 0 ? "none"
                              : fmt::format("{} × {}", list.key_points, list.key_point_values);
}

void require_one_kpt_shape(const ClassList& base, const ClassList& ours, const ClassList& theirs) {
  const std::string of_base = key_points_of(base), of_ours = key_points_of(ours),
                    of_theirs = key_points_of(theirs);
  if (of_base != of_ours || of_base != of_theirs)
    throw Error(fmt::format(
        "merge: expected the same kpt_shape in all versions, found {} (base), {} (ours), {} "
        "(theirs): change it in one version after the merge",
        of_base, of_ours, of_theirs));
}

/// Which of the three stands for a class of the base. One that a side removed stays if the other
/// side has it: boxes there may need it.
const ClassEntry* chosen(const ClassEntry& base, const ClassEntry* ours, const ClassEntry* theirs,
                         OnConflict prefer, std::vector<Conflict>& conflicts) {
  if (ours == nullptr || theirs == nullptr) return ours == nullptr ? theirs : ours;
  if (*ours == *theirs || *theirs == base) return ours;
  if (*ours == base) return theirs;
  conflicts.push_back({{}, "class", described(base), described(*ours), described(*theirs)});
  return prefer == OnConflict::theirs ? theirs : ours;
}

int place_of(const ClassList& list, const std::string& name) {
  for (std::size_t i = 0; i < list.classes.size(); ++i)
    if (list.classes[i].name == name) return static_cast<int>(i);
  return -1;
}

}  // namespace

MergedClasses merge_classes(const ClassList& base, const ClassList& ours, const ClassList& theirs,
                            OnConflict prefer) {
  require_one_kpt_shape(base, ours, theirs);
  MergedClasses result;
  if (ours == theirs) {
    result.classes = ours;
    result.of_base = match_class_lists(base, ours);
    for (std::size_t i = 0; i < ours.classes.size(); ++i)
      result.of_ours.push_back(static_cast<int>(i));
    result.of_theirs = result.of_ours;
    return result;
  }
  const std::vector<int> to_ours = match_class_lists(base, ours),
                         to_theirs = match_class_lists(base, theirs);
  result.of_base.assign(base.classes.size(), -1);
  result.of_ours.assign(ours.classes.size(), -1);
  result.of_theirs.assign(theirs.classes.size(), -1);
  result.classes.key_points = ours.key_points;
  result.classes.key_point_values = ours.key_point_values;
  // The order of the side that changed it; classes of the other side follow.
  const bool theirs_order = ours == base;
  const auto add_base = [&](std::size_t i) {
    if (result.of_base[i] >= 0) return;
    const ClassEntry *one = of_side(ours, to_ours, i), *other = of_side(theirs, to_theirs, i);
    const ClassEntry* taken = chosen(base.classes[i], one, other, prefer, result.conflicts);
    if (taken == nullptr) return;
    result.of_base[i] = static_cast<int>(result.classes.classes.size());
    if (one != nullptr) result.of_ours[static_cast<std::size_t>(to_ours[i])] = result.of_base[i];
    if (other != nullptr)
      result.of_theirs[static_cast<std::size_t>(to_theirs[i])] = result.of_base[i];
    result.classes.classes.push_back(*taken);
  };
  const auto add_side = [&](const ClassList& side, const std::vector<int>& from_base,
                            std::vector<int>& numbers) {
    for (std::size_t k = 0; k < side.classes.size(); ++k) {
      const auto of = std::find(from_base.begin(), from_base.end(), static_cast<int>(k));
      if (of != from_base.end()) {
        add_base(static_cast<std::size_t>(of - from_base.begin()));
        continue;
      }
      numbers[k] = place_of(result.classes, side.classes[k].name);  // both sides added it
      if (numbers[k] >= 0) continue;
      numbers[k] = static_cast<int>(result.classes.classes.size());
      result.classes.classes.push_back(side.classes[k]);
    }
  };
  if (theirs_order) add_side(theirs, to_theirs, result.of_theirs);
  add_side(ours, to_ours, result.of_ours);
  if (!theirs_order) add_side(theirs, to_theirs, result.of_theirs);
  return result;
}

}  // namespace yolov7::versions
