#pragma once
// Classes of one or several data sets under the names of a new one.
#include <string>
#include <utility>
#include <vector>

namespace yolov7::dataset {

/// `to` empty: boxes of the class are dropped.
struct ClassChange {
  std::string from, to;
};

/// "old=new" or "old=" each; blanks around a name do not count. A name that has "=" in it is
/// written with two. A text without "=" that names a file stands for the mapping in it (YAML, old:
/// new, where nothing drops the class). Errors: nothing before the "="; neither a change nor a
/// file; a name changed twice; a file that is no mapping.
std::vector<ClassChange> parse_class_changes(const std::vector<std::string>& texts);

struct SourceClasses {
  std::string source;  ///< how messages call it
  std::vector<std::string> names;
};

struct ClassMap {
  std::vector<std::string> names;    ///< of the new set
  std::vector<std::vector<int>> of;  ///< per source: old class → new class, −1 = dropped
};

/// By name, whatever the order of a source. New names stand in the order of `order`, else in that
/// of their first source. Errors, which name both sides: a change of a class that no source has; a
/// source that gives one name to two classes; names of two sources that differ in case or blanks
/// alone, unless a change speaks of one of them; sources whose classes are mere numbers, where
/// there are several; a name of `order` that no source has, or one that it lacks.
ClassMap join_classes(const std::vector<SourceClasses>& sources,
                      const std::vector<ClassChange>& changes,
                      const std::vector<std::string>& order = {});

}  // namespace yolov7::dataset
