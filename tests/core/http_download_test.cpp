// A download that goes on where it broke off, and what it refuses.
#include "core/http_download.hpp"

#include <gtest/gtest.h>

#include "core/stop.hpp"
#include "tests/core/http_server.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::http {
namespace {

using std::chrono::milliseconds;

class HttpDownload : public testing::Test {
 protected:
  Download get(const std::string& address, const Request& request = {.path = "/f"}) {
    Client client(parse_address(address, "x"));
    return download(client, request, path, options);
  }
  std::string fault(const std::string& address) {
    return test::error_of([&] { get(address); });
  }
  static std::string answer(const std::string& head, const std::string& body) {
    return "HTTP/1.1 " + head + "\r\nConnection: close\r\n\r\n" + body;
  }
  bool leftovers() const {
    return std::filesystem::exists(path.string() + ".part") ||
           std::filesystem::exists(path.string() + ".part.json");
  }
  test::ScratchFolder folder;
  std::filesystem::path path = folder / "file.bin";
  DownloadOptions options{1000, {3, milliseconds(2), milliseconds(5), milliseconds(5)}, {}};
};

TEST_F(HttpDownload, GoesOnWhereItBrokeOff) {
  test::RawServer server({answer("200 OK\r\nETag: \"v1\"\r\nContent-Length: 10", "0123"),
                          answer("206 Partial Content\r\nETag: \"v1\"\r\nContent-Length: 6\r\n"
                                 "Content-Range: bytes 4-9/10",
                                 "456789")});
  const Download result = get(server.address());
  EXPECT_EQ(test::read_text(path), "0123456789");
  EXPECT_EQ(result.bytes, 10u);
  EXPECT_EQ(result.resumed_at, 4u);
  EXPECT_TRUE(result.length_known);
  EXPECT_FALSE(leftovers());
  ASSERT_EQ(server.heads().size(), 2u);
  EXPECT_EQ(server.heads()[0].find("Range:"), std::string::npos);
  EXPECT_NE(server.heads()[1].find("Range: bytes=4-\r\n"), std::string::npos);
  EXPECT_NE(server.heads()[1].find("If-Range: \"v1\"\r\n"), std::string::npos);
}

TEST_F(HttpDownload, ALaterCallGoesOnToo) {
  {
    test::RawServer server({answer(
        "200 OK\r\nLast-Modified: Mon, 30 Nov 2026 00:00:00 GMT\r\nContent-Length: 4", "ab")});
    options.tries.most = 1;
    EXPECT_NE(fault(server.address()).find("http://127.0.0.1"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(path));
    EXPECT_TRUE(leftovers());
  }
  test::RawServer server(
      {answer("206 Partial Content\r\nContent-Length: 2\r\nContent-Range: bytes 2-3/4", "cd")});
  EXPECT_EQ(get(server.address()).resumed_at, 2u);
  EXPECT_EQ(test::read_text(path), "abcd");
  EXPECT_NE(server.heads()[0].find("If-Range: Mon, 30 Nov 2026 00:00:00 GMT\r\n"),
            std::string::npos);
}

TEST_F(HttpDownload, AnotherFileOnTheServerBeginsAgain) {
  test::RawServer server({answer("200 OK\r\nETag: \"v1\"\r\nContent-Length: 10", "0123"),
                          answer("200 OK\r\nETag: \"v2\"\r\nContent-Length: 3", "new")});
  const Download result = get(server.address());
  EXPECT_EQ(test::read_text(path), "new");
  EXPECT_EQ(result.resumed_at, 0u);
}

TEST_F(HttpDownload, WhatCannotBeToldApartBeginsAgain) {
  // A weak ETag and none at all say nothing about bytes.
  test::RawServer server({answer("200 OK\r\nETag: W/\"v1\"\r\nContent-Length: 10", "0123"),
                          answer("200 OK\r\nContent-Length: 4", "whol"),
                          answer("200 OK\r\nContent-Length: 4", "whole")});
  get(server.address());
  EXPECT_EQ(test::read_text(path), "whol");
  EXPECT_EQ(server.heads()[1].find("Range:"), std::string::npos);
}

TEST_F(HttpDownload, ARangeThatDoesNotFitIsThrownAway) {
  test::RawServer server(
      {answer("200 OK\r\nETag: \"v1\"\r\nContent-Length: 6", "012"),
       answer("206 Partial Content\r\nContent-Length: 3\r\nContent-Range: bytes 2-4/6", "XXX"),
       answer("200 OK\r\nETag: \"v1\"\r\nContent-Length: 6", "012345")});
  get(server.address());
  EXPECT_EQ(test::read_text(path), "012345");
}

TEST_F(HttpDownload, WithoutALengthTheEndIsNotKnown) {
  test::RawServer server({answer("200 OK", "abc")});
  EXPECT_FALSE(get(server.address()).length_known);
  EXPECT_EQ(test::read_text(path), "abc");
}

TEST_F(HttpDownload, TooMuchIsRefusedBeforeAndWhileItComes) {
  options.most_bytes = 5;
  test::RawServer said({answer("200 OK\r\nContent-Length: 6", "012345")});
  EXPECT_NE(fault(said.address()).find("at most 5 bytes, found 6"), std::string::npos);
  test::RawServer unsaid({answer("200 OK", "012345")});
  EXPECT_NE(fault(unsaid.address()).find("at most 5 bytes, found 6"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_FALSE(leftovers());
}

TEST_F(HttpDownload, RefusalsAreNotRepeated) {
  test::HttpServer server(
      [](const httplib::Request&, httplib::Response& response) { response.status = 403; });
  EXPECT_EQ(fault(server.address()), server.address() + ": expected a file, found answer 403");
  EXPECT_EQ(server.seen().size(), 1u);
  test::HttpServer busy(
      [](const httplib::Request&, httplib::Response& response) { response.status = 503; });
  EXPECT_EQ(fault(busy.address()), busy.address() + ": expected a file, found answer 503");
  EXPECT_EQ(busy.seen().size(), 3u);
}

TEST_F(HttpDownload, ARedirectionDoesNotTakeTheKeyAlong) {
  test::HttpServer other([](const httplib::Request&, httplib::Response& response) {
    response.set_content("there", "text/plain");
  });
  test::HttpServer server([&](const httplib::Request&, httplib::Response& response) {
    response.status = 302;
    response.set_header("Location", other.address() + "/x?sig=1");
  });
  Client client(parse_address(server.address(), "x"));
  client.set_header("Authorization", "Token s3cret");
  download(client, {.path = "/f", .query = {{"api_key", "s3cret"}}}, path, options);
  EXPECT_EQ(test::read_text(path), "there");
  ASSERT_EQ(other.seen().size(), 1u);
  EXPECT_EQ(other.seen()[0].target, "/x?sig=1");
  EXPECT_FALSE(other.seen()[0].has_header("Authorization"));
}

TEST_F(HttpDownload, RedirectionsEnd) {
  test::HttpServer server([&](const httplib::Request&, httplib::Response& response) {
    response.status = 302;
    response.set_header("Location", "/again");
  });
  EXPECT_NE(fault(server.address()).find("found answer 302"), std::string::npos);
  EXPECT_EQ(server.seen().size(), 6u);
  test::HttpServer file([&](const httplib::Request&, httplib::Response& response) {
    response.status = 302;
    response.set_header("Location", "file:///etc/passwd?s3cret");
  });
  const std::string said = fault(file.address());
  EXPECT_NE(said.find("expected an http or https address"), std::string::npos) << said;
  EXPECT_EQ(said.find("s3cret"), std::string::npos) << said;
}

TEST_F(HttpDownload, UrlsAreNeverShown) {
  EXPECT_EQ(split_url("https://h:1/a/b?c=d#e", "x").second.path, "/a/b?c=d");
  EXPECT_EQ(split_url("https://h?c", "x").second.path, "/?c");
  EXPECT_EQ(split_url("https://h", "x").second.path, "/");
  for (const char* bad : {"s3cret", "ftp://s3cret", "https://u:s3cret@h/", "https://h/s3cret\r\nX"})
    EXPECT_EQ(test::error_of([&] { split_url(bad, "x"); }).find("s3cret"), std::string::npos);
}

}  // namespace
}  // namespace yolov7::http
