#include "runtime/server/served_address.hpp"

#include <gtest/gtest.h>

#include "tests/scratch_folder.hpp"

using namespace yolov7;
using namespace yolov7::runtime;

TEST(ServedAddress, PartsOfAnAddress) {
  const ServedAddress plain = parse_served_address("http://Host:8000/v2/models/best", "--teacher");
  EXPECT_EQ(plain.server.origin(), "http://host:8000");
  EXPECT_EQ(plain.server.prefix, "");
  EXPECT_EQ(plain.model, "/v2/models/best");
  EXPECT_EQ(plain.name, "best");
  EXPECT_EQ(plain.text(), "http://host:8000/v2/models/best");
  const ServedAddress deep =
      parse_served_address("https://h/serving/ns/v2/models/a%20b/versions/3/", "x");
  EXPECT_EQ(deep.server.text(), "https://h/serving/ns");
  EXPECT_EQ(deep.model, "/v2/models/a%20b/versions/3");
  EXPECT_EQ(deep.name, "a%20b");
}

TEST(ServedAddress, WhatIsNoAddressOfAModel) {
  for (const char* bad : {"http://h:8000", "http://h:8000/v2/models", "http://h:8000/v2/models/",
                          "http://h/v2/models/a/infer", "http://h/v2/models/a/versions",
                          "http://h/v2/models/a/versions/1/infer", "http://h/v1/models/a"}) {
    const std::string said = test::error_of([&] { parse_served_address(bad, "--teacher"); });
    EXPECT_TRUE(said.starts_with("--teacher: expected http://HOST:PORT/v2/models/NAME"))
        << bad << said;
  }
  const std::string secret =
      test::error_of([] { parse_served_address("http://me:pass@h/v2/models/a", "--teacher"); });
  EXPECT_NE(secret, "no error");
  EXPECT_EQ(secret.find("pass@"), std::string::npos) << secret;
  EXPECT_NE(test::error_of([] { parse_served_address("http://h/v2/models/a?key=1", "x"); }),
            "no error");
}

TEST(ServedAddress, FilesAreNone) {
  EXPECT_TRUE(is_served_model("http://h/v2/models/a"));
  EXPECT_TRUE(is_served_model("HTTPS://h"));
  EXPECT_FALSE(is_served_model("best.onnx"));
  EXPECT_FALSE(is_served_model("http.pt"));
  EXPECT_FALSE(is_served_model(""));
}
