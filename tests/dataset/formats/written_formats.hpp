#pragma once
// The formats that are written and read again, as parameters of tests.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "dataset/formats/format_table.hpp"

namespace yolov7::dataset {

inline std::vector<std::string> written_formats() {
  std::vector<std::string> names;
  for (const Format& format : formats())
    if (format.write != nullptr && format.read != nullptr) names.push_back(format.name);
  return names;
}

/// Names of tests take no hyphen.
inline std::string format_of_test(const testing::TestParamInfo<std::string>& one) {
  std::string name = one.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

}  // namespace yolov7::dataset
