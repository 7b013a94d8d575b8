#pragma once
// HTTP and HTTPS to the servers of other programs: time limits, repeated tries, and secrets that no
// message shows. Nothing is sent before somebody calls try_once() or send().
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace yolov7::http {

using Fields = std::vector<std::pair<std::string, std::string>>;

/// "https://host:8443/prefix" in its parts.
struct Address {
  std::string scheme, host;  ///< "http" or "https"; the host without brackets
  int port = 0;              ///< 0 = that of the scheme
  std::string prefix;        ///< "/prefix" without a slash at its end, or ""

  std::string text() const;    ///< the whole address; it never holds a secret
  std::string origin() const;  ///< scheme, host and port alone
  bool is_loopback() const;    ///< this machine: localhost, 127.0.0.0/8, ::1
};
/// Errors (usage) begin with `what`: another scheme, no host, a bad port, a query, a user or a
/// password.
Address parse_address(const std::string& text, const std::string& what);

struct Limits {
  std::chrono::seconds connect{10};  ///< until a connection stands
  std::chrono::seconds silence{60};  ///< without a byte in or out
  std::uint64_t answer_bytes = std::uint64_t{1} << 30;
};

/// One part of a multipart/form-data body (RFC 7578).
struct Part {
  std::string name, content;
  std::string file_name, media_type;  ///< "" = a plain value
};

struct Request {
  std::string method = "GET";
  std::string path = {};  ///< behind the address's prefix, with escapes where it needs them
  Fields query = {};      ///< unescaped; may hold a key, so it is never shown
  Fields headers = {};
  std::string body = {}, media_type = {};
  std::vector<Part> parts = {};  ///< instead of `body`
};

struct Answer {
  int status = 0;
  Fields headers = {};  ///< names in lower case
  std::string body = {};

  bool good() const { return status >= 200 && status < 300; }
  std::string header(std::string_view name) const;  ///< the first of this name, or ""
};

/// What came of one try. Without an answer `why` says what happened; it holds no secret.
struct Outcome {
  std::optional<Answer> answer = {};
  std::string why = {};
};

/// How often a request is repeated after 408, 429, 500, 502, 503, 504 and a lost connection. Before
/// the k-th repetition it waits first · 2^(k−1), at most `longest`, less up to a half that is
/// drawn; or what Retry-After says, at most `longest_asked`.
struct Tries {
  int most = 5;
  std::chrono::milliseconds first{500}, longest{30'000}, longest_asked{120'000};
};

/// Takes an answer instead of Answer::body. begin() sees status and headers; where it returns false
/// the connection is closed. take() gets the bytes in order.
struct Receiver {
  std::function<bool(const Answer& head)> begin;
  std::function<bool(const char* bytes, std::size_t count)> take;
};

class Client {
 public:
  /// Errors: https in a build without TLS.
  explicit Client(const Address& address, const Limits& limits = {});
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  const Address& address() const;
  /// A header of every request. A secret must be hidden besides. Error (usage): `value` has control
  /// characters; it is not shown.
  void set_header(const std::string& name, const std::string& value);
  void set_basic_auth(const std::string& user,
                      const std::string& password);  ///< hides the password
  /// From now on shown() replaces this text, and its escaped form, by "***".
  void hide(const std::string& secret);
  std::string shown(std::string text) const;

  /// One try. It never throws for what a server or a network does.
  Outcome try_once(const Request& request, const Receiver& receiver = {});
  /// Tries until there is an answer of another status than those that are repeated, or `tries` are
  /// used up; then the last answer, whatever its status. Errors: no answer in the last try;
  /// stopped_error(). Redirections are answers, too: a key must not travel to another host.
  Answer send(const Request& request, const Tries& tries = {}, const std::stop_token& stop = {});
  /// From another thread: what is being sent ends soon.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Whether the same request may have another answer later: the statuses of Tries.
bool may_pass(int status);
/// The wait before repetition `number` (from 1).
std::chrono::milliseconds wait_before(int number, const Tries& tries, const Outcome& last);
/// Sleeps; stopped_error() where a stop was requested.
void wait_for(std::chrono::milliseconds time, const std::stop_token& stop);

/// All but letters, digits and "-_.~" as %XX (RFC 3986, unreserved); "/" stays where `keep_slash`.
std::string escaped(std::string_view words, bool keep_slash = false);
/// What an answer says went wrong, in at most 300 bytes: `message`, `error` or `detail` of JSON, or
/// the body itself. Show it through Client::shown().
std::string complaint(const std::string& body);

}  // namespace yolov7::http
