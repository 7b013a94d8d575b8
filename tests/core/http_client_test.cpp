// What the client sends, when it tries again, and that no message shows a secret.
#include "core/http_client.hpp"

#include <gtest/gtest.h>

#include "core/stop.hpp"
#include "tests/core/http_server.hpp"
#include "tests/kept_messages.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::http {
namespace {

using std::chrono::milliseconds;

constexpr Tries quick{3, milliseconds(4), milliseconds(20), milliseconds(50)};

TEST(HttpAddress, ItsParts) {
  const Address address = parse_address("HTTPS://Host.example:8443/a/b//", "--to");
  EXPECT_EQ(address.scheme, "https");
  EXPECT_EQ(address.host, "host.example");
  EXPECT_EQ(address.port, 8443);
  EXPECT_EQ(address.prefix, "/a/b");
  EXPECT_EQ(address.text(), "https://host.example:8443/a/b");
  EXPECT_EQ(parse_address("http://[::1]:80", "x").origin(), "http://[::1]:80");
  EXPECT_TRUE(parse_address("http://[::1]", "x").is_loopback());
  EXPECT_TRUE(parse_address("http://127.9.9.9", "x").is_loopback());
  EXPECT_FALSE(parse_address("http://127.0.0.1.example", "x").is_loopback());
  EXPECT_FALSE(parse_address("http://localhost.example", "x").is_loopback());
  for (const char* bad :
       {"", "host", "ftp://host", "http://", "http:///a", "http://h:0", "http://h:65536",
        "http://h:x", "http://h:", "http://u:s3cret@h", "http://s3cret@h/a", "http://h?a=s3cret",
        "http://h/a#b", "http://h/ a", "http://h\r\nX: 1", "file:///etc/passwd",
        "http://u:s3cret/x@h", "htp://h?a=s3cret"}) {
    const std::string said = test::error_of([&] { parse_address(bad, "--to"); });
    EXPECT_EQ(said.rfind("--to: expected", 0), 0u) << bad << " → " << said;
    EXPECT_EQ(said.find("s3cret"), std::string::npos) << said;
  }
}

TEST(HttpEscaped, AllButUnreserved) {
  EXPECT_EQ(escaped("a-b_c.d~e/f g&h=i+ä"), "a-b_c.d~e%2Ff%20g%26h%3Di%2B%C3%A4");
  EXPECT_EQ(escaped("a/b c", true), "a/b%20c");
}

TEST(HttpComplaint, FromJsonOrAsItIs) {
  EXPECT_EQ(complaint(R"({"message": "no"})"), "no");
  EXPECT_EQ(complaint(R"({"error": {"message": "boom", "type": "X"}})"), "boom");
  EXPECT_EQ(complaint(R"({"detail": "Validation error", "validation_errors": {"a": ["short"]}})"),
            R"({"a":["short"]})");
  EXPECT_EQ(complaint("<html>"), "<html>");
  EXPECT_EQ(complaint(""), "");
  EXPECT_EQ(complaint(std::string(299, 'x') + "ää").size(), 299 + sizeof(" …") - 1);
}

TEST(HttpClient, SendsWhatItIsGiven) {
  test::HttpServer server([](const httplib::Request&, httplib::Response& response) {
    response.status = 201;
    response.set_header("X-Kind", "good");
    response.set_content("made", "text/plain");
  });
  Client client(parse_address(server.address() + "/pre", "x"));
  client.set_header("Authorization", "Token t");
  const Answer answer = client.send({.method = "POST",
                                     .path = "/a%20b",
                                     .query = {{"k&", "v =ä"}, {"k&", "2"}},
                                     .headers = {{"X-One", "1"}},
                                     .body = "{}",
                                     .media_type = "application/json"});
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.header("x-kind"), "good");
  EXPECT_EQ(answer.body, "made");
  const auto seen = server.seen();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].target, "/pre/a%20b?k%26=v%20%3D%C3%A4&k%26=2");
  EXPECT_EQ(seen[0].body, "{}");
  EXPECT_EQ(seen[0].get_header_value("Content-Type"), "application/json");
  EXPECT_EQ(seen[0].get_header_value("Authorization"), "Token t");
  EXPECT_EQ(seen[0].get_header_value("X-One"), "1");
  EXPECT_EQ(seen[0].get_header_value("User-Agent").rfind("yolov7.cpp/", 0), 0u);
}

TEST(HttpClient, PartsOfAForm) {
  test::HttpServer server([](const httplib::Request&, httplib::Response&) {});
  Client client(parse_address(server.address(), "x"));
  client.send({.method = "POST",
               .path = "/",
               .parts = {{"name", "a\r\n--b", "", ""},
                         {"file", std::string("\0\xff\r\n", 4), "ä \"q\".jpg", "image/jpeg"}}});
  const auto seen = server.seen();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].get_file_value("name").content, "a\r\n--b");
  EXPECT_EQ(seen[0].get_file_value("file").content, std::string("\0\xff\r\n", 4));
  EXPECT_EQ(seen[0].get_file_value("file").filename, "ä %22q%22.jpg");
  EXPECT_EQ(seen[0].get_file_value("file").content_type, "image/jpeg");
}

TEST(HttpClient, TriesAgainWhatMayPass) {
  for (const int status : {408, 429, 500, 502, 503, 504}) {
    int calls = 0;
    test::HttpServer server([&](const httplib::Request&, httplib::Response& response) {
      response.status = ++calls < 3 ? status : 200;
    });
    Client client(parse_address(server.address(), "x"));
    EXPECT_EQ(client.send({.path = "/"}, quick).status, 200) << status;
    EXPECT_EQ(calls, 3) << status;
    calls = -7;  // ten failures: the third answer is what the caller gets
    EXPECT_EQ(client.send({.path = "/"}, quick).status, status);
    EXPECT_EQ(calls, -4);
  }
  for (const int status : {400, 401, 403, 404, 409, 422, 501, 302}) {
    test::HttpServer server([&](const httplib::Request&, httplib::Response& response) {
      response.status = status;
      response.set_header("Location", "/other");
    });
    Client client(parse_address(server.address(), "x"));
    EXPECT_EQ(client.send({.path = "/"}, quick).status, status);
    EXPECT_EQ(server.seen().size(), 1u) << status;
  }
}

TEST(HttpClient, TriesAgainAfterALostConnection) {
  test::RawServer server({"", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\ncut",
                          "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"});
  Client client(parse_address(server.address(), "x"));
  EXPECT_EQ(client.send({.path = "/"}, quick).body, "ok");
  EXPECT_EQ(server.heads().size(), 3u);
  Client nobody(parse_address("http://127.0.0.1:1", "x"));
  const std::string said = test::error_of([&] { nobody.send({.path = "/"}, quick); });
  EXPECT_NE(said.find("http://127.0.0.1:1: "), std::string::npos) << said;
  EXPECT_NE(said.find("(3 tries)"), std::string::npos) << said;
}

TEST(HttpClient, WaitsDoubleAndWhatTheServerAsks) {
  const Tries tries{9, milliseconds(1000), milliseconds(5000), milliseconds(60'000)};
  const std::vector<int> longest = {1000, 2000, 4000, 5000, 5000};
  for (int number = 1; number <= 5; ++number)
    for (int draw = 0; draw < 50; ++draw) {
      const auto wait = wait_before(number, tries, {});
      EXPECT_GE(wait.count(), longest[static_cast<std::size_t>(number) - 1] / 2);
      EXPECT_LE(wait.count(), longest[static_cast<std::size_t>(number) - 1]);
    }
  Outcome asked{Answer{503, {{"retry-after", " 7 "}}, ""}, ""};
  EXPECT_EQ(wait_before(1, tries, asked), milliseconds(7000));
  asked.answer->headers[0].second = "999999999999";
  EXPECT_EQ(wait_before(1, tries, asked), milliseconds(60'000));
  asked.answer->headers[0].second = "Mon, 30 Nov 2026 00:00:00 GMT";
  EXPECT_LE(wait_before(1, tries, asked), milliseconds(1000));
}

TEST(HttpClient, NoMessageShowsASecret) {
  const test::KeptMessages kept;
  test::HttpServer server([](const httplib::Request& request, httplib::Response& response) {
    response.status = 503;
    response.set_content("no " + request.target, "text/plain");
  });
  Client client(parse_address(server.address(), "x"));
  client.hide("s3cr/et");
  const Answer answer =
      client.send({.path = "/a/s3cr%2Fet", .query = {{"api_key", "s3cr/et"}}}, quick);
  EXPECT_EQ(client.shown(complaint(answer.body)), "no /a/***?api_key=***");
  EXPECT_EQ(client.shown("s3cr/ets3cr/et"), "******");
  Client nobody(parse_address("http://127.0.0.1:1/s3cr", "x"));
  nobody.hide("s3cr");
  EXPECT_EQ(test::error_of([&] { nobody.send({.path = "/"}, quick); }).find("s3cr"),
            std::string::npos);
  const std::string text = kept.text();
  EXPECT_NE(text.find("try 2 of 3"), std::string::npos) << text;
  EXPECT_EQ(text.find("s3cr"), std::string::npos) << text;
  const std::string said =
      test::error_of([&] { client.set_header("Authorization", "s3cret\r\nX: y"); });
  EXPECT_NE(said.find("Authorization"), std::string::npos);
  EXPECT_EQ(said.find("s3cret"), std::string::npos);
}

TEST(HttpClient, LongAnswersAndSlowServersEnd) {
  test::HttpServer server([](const httplib::Request& request, httplib::Response& response) {
    if (request.path == "/slow") std::this_thread::sleep_for(std::chrono::seconds(3));
    response.set_content(std::string(3000, 'x'), "text/plain");
  });
  const Address address = parse_address(server.address(), "x");
  Client small(address, {std::chrono::seconds(1), std::chrono::seconds(1), 2999});
  EXPECT_NE(small.try_once({.path = "/"}).why.find("at most 2999 bytes"), std::string::npos);
  Client exact(address, {std::chrono::seconds(1), std::chrono::seconds(1), 3000});
  EXPECT_EQ(exact.try_once({.path = "/"}).answer->body.size(), 3000u);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(exact.try_once({.path = "/slow"}).answer);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(2500));
}

TEST(HttpClient, AStopEndsWaitingAndSending) {
  test::HttpServer server([](const httplib::Request& request, httplib::Response& response) {
    if (request.path == "/slow") std::this_thread::sleep_for(std::chrono::seconds(2));
    response.status = 503;
  });
  Client client(parse_address(server.address(), "x"));
  for (const char* path : {"/slow", "/refused"}) {
    std::stop_source source;
    std::thread stopper([&] {
      std::this_thread::sleep_for(milliseconds(200));
      source.request_stop();
    });
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(test::error_of([&] {
                client.send({.path = path}, {9, milliseconds(60'000), milliseconds(60'000)},
                            source.get_token());
              }),
              "interrupted");
    EXPECT_LT(std::chrono::steady_clock::now() - begin, milliseconds(1500)) << path;
    stopper.join();
  }
}

}  // namespace
}  // namespace yolov7::http
