#pragma once
// Classes of two networks matched by name: what a student learns of a teacher.
#include <string>
#include <utility>
#include <vector>

namespace yolov7::run {

struct ClassPairs {
  std::vector<std::pair<int, int>> pairs;  ///< student's class, teacher's class, by student's
  std::vector<std::string> missing;        ///< student's classes that the teacher does not have
  std::vector<std::string> unused;         ///< teacher's classes that the student does not have
};

/// Error: a name that one of the lists holds twice, for it says no more which class is meant.
ClassPairs pair_classes(const std::vector<std::string>& student,
                        const std::vector<std::string>& teacher);
/// "2 of 3 classes are the teacher's; it does not have: 'c'; of its own are not used: 5".
std::string describe(const ClassPairs& pairs);

}  // namespace yolov7::run
