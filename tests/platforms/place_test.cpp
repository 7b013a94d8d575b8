// Addresses of what lies on servers of labels.
#include "platforms/place.hpp"

#include <gtest/gtest.h>

#include "tests/scratch_folder.hpp"

namespace yolov7::platforms {
namespace {

const std::vector<std::string> all = {"roboflow", "label-studio", "cvat"};

TEST(Place, Roboflow) {
  const Place place = parse_place("roboflow://my-work/My.Proj_1/12", all, 3, 3);
  EXPECT_EQ(place.service, "roboflow");
  EXPECT_EQ(place.parts, (std::vector<std::string>{"my-work", "My.Proj_1", "12"}));
}

TEST(Place, TlsUnlessTheServerIsThisMachineOrTheSchemeSaysSo) {
  const auto server = [](const std::string& text) {
    return parse_place(text, all, 0, 1).server.text();
  };
  EXPECT_EQ(server("label-studio://host/7"), "https://host");
  EXPECT_EQ(server("label-studio://host:8080/7"), "https://host:8080");
  EXPECT_EQ(server("label-studio://localhost:8080/7"), "http://localhost:8080");
  EXPECT_EQ(server("label-studio://127.0.0.1:8080/7"), "http://127.0.0.1:8080");
  EXPECT_EQ(server("cvat://[::1]:8080/7"), "http://[::1]:8080");
  EXPECT_EQ(server("label-studio://127.0.0.1.evil.example/7"), "https://127.0.0.1.evil.example");
  EXPECT_EQ(server("label-studio+http://host/7"), "http://host");
  EXPECT_EQ(server("label-studio+https://localhost/7"), "https://localhost");
  EXPECT_EQ(server("label-studio://host/a/b/7"), "https://host/a/b");
  EXPECT_EQ(parse_place("label-studio://host/a/Blut körper", all, 1, 1).part(0), "Blut körper");
  EXPECT_EQ(parse_place("cvat://host", all, 0, 1).parts.size(), 0u);
}

// They would go into a request as they are; the project's name may have them.
TEST(Place, ABlankOrAQueryBeforeTheProjectIsRefused) {
  for (const char* text : {"label-studio://host/a b/7", "cvat://host/a?b=c/7"})
    EXPECT_EQ(test::error_of([&] { parse_place(text, all, 1, 1); }),
              std::string(text) +
                  ": expected an address without a query, blanks and backslashes, found one with "
                  "them");
  EXPECT_EQ(parse_place("label-studio://host/a/b c", all, 1, 1).part(0), "b c");
}

TEST(Place, WhatIsNoPlace) {
  const auto fault = [](const std::string& text) {
    return test::error_of([&] { parse_place(text, all, 2, 3); });
  };
  for (const char* text :
       {"", "roboflow:/a/b", "roboflow://", "roboflow://a", "roboflow://a/b/c/d", "roboflow://a//c",
        "roboflow://a/../b", "roboflow://a/b?x=1", "roboflow://a/b c", "roboflow+http://a/b",
        "ftp://a/b", "label-studio+ftp://h/a", "label-studio://h/..", "label-studio://u:s3cret@h/a",
        "label-studio://u:s3cret/x@h/a", "cvat://h:99999/a", "cvat:///a", "cvat://h?x/a"}) {
    const std::string said = fault(text);
    EXPECT_NE(said.find("expected"), std::string::npos) << text << " → " << said;
    EXPECT_EQ(said.find("s3cret"), std::string::npos) << said;
  }
}

}  // namespace
}  // namespace yolov7::platforms
