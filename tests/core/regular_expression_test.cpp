// Faults of regular expressions in words, none of them the library's.
#include "core/regular_expression.hpp"

#include <gtest/gtest.h>

namespace yolov7 {
namespace {

TEST(RegularExpression, FaultsAreSaidInWords) {
  EXPECT_EQ(regular_expression_fault("^(patient[0-9]+)_"), "");
  const std::pair<const char*, const char*> cases[] = {
      {"(a", "a ( or ) without its other one, or a *, + or ? with nothing before it"},
      {"a[b", "a [ without its ]"},
      {"[b-a]", "a range in [ ] that ends before it begins"},
      {"*a", "a ( or ) without its other one, or a *, + or ? with nothing before it"},
      {"(a)\\2", "the number of a bracket that is not there"},
      {"[[:nothing:]]", "a name in [: :] or [. .] that is not known"}};
  for (const auto& [expression, words] : cases)
    EXPECT_EQ(regular_expression_fault(expression), words) << expression;
  for (const char* odd : {"a{2", "a{x}", "\\"}) EXPECT_NE(regular_expression_fault(odd), "") << odd;
}

}  // namespace
}  // namespace yolov7
