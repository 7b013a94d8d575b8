#include "loop/place.hpp"

#include "tests/loop/loop_fixture.hpp"

namespace yolov7::loop {
namespace {

std::string refusal_of(const std::string& to) {
  return test::error_of([&] {
    PlaceOptions options;
    options.to = to;
    open_place(options);
  });
}

TEST(LoopPlace, AnotherSchemeIsToldAllThatThereAre) {
  EXPECT_EQ(refusal_of("ftp://x/y"),
            "--to: expected label-studio://host:port/project, cvat://host:port/name, "
            "roboflow://workspace/project or a folder, found 'ftp://x/y'");
  EXPECT_EQ(refusal_of("ftp://me:secret@x/y").find("secret"), std::string::npos);
}

}  // namespace
}  // namespace yolov7::loop
