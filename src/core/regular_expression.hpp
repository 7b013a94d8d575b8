#pragma once
// What is wrong with a regular expression, for people.
#include <string>

namespace yolov7 {

/// "" where the library takes it (ECMAScript); else what is wrong, as in "a [ without its ]".
std::string regular_expression_fault(const std::string& expression);

}  // namespace yolov7
