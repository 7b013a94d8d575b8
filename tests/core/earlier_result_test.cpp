// A result takes the place of one of its kind alone.
#include "core/earlier_result.hpp"

#include <gtest/gtest.h>

#include "tests/scratch_folder.hpp"

namespace yolov7 {
namespace {

TEST(EarlierResult, OneOfItsKindMayBeReplaced) {
  const test::ScratchFolder scratch;
  int calls = 0;
  require_earlier(scratch / "new", "an earlier thing", [&] { ++calls; });
  EXPECT_EQ(calls, 0);
  scratch.write("old", "x");
  require_earlier(scratch / "old", "an earlier thing", [&] { ++calls; });
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(test::error_of([&] {
              require_earlier(scratch / "old", "an earlier thing",
                              [] { throw Error("no thing at all"); });
            }),
            (scratch / "old").string() +
                ": expected no file, or an earlier thing, found another file; move it away");
}

}  // namespace
}  // namespace yolov7
