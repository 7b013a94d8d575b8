#include "core/http_client.hpp"

#include <fmt/format.h>
#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <charconv>
#include <condition_variable>
#include <csignal>
#include <ctime>
#include <mutex>
#include <nlohmann/json.hpp>
#include <random>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/stop.hpp"
#include "core/text.hpp"
#include "core/version.hpp"

namespace yolov7::http {
namespace {

using nlohmann::json;

bool has_control(const std::string& text) {
  return std::any_of(text.begin(), text.end(),
                     [](const char c) { return static_cast<unsigned char>(c) < 32 || c == 127; });
}

/// A write to a connection that the server has closed raises SIGPIPE, which ends a process that
/// does not ignore it. Kept off this thread.
class NoPipeSignal {
 public:
  NoPipeSignal() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t waiting;
    sigpending(&waiting);
    waited_ = sigismember(&waiting, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~NoPipeSignal() {
    const timespec now{};
    if (!waited_)
      while (sigtimedwait(&pipe_, nullptr, &now) > 0) {
      }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  NoPipeSignal(const NoPipeSignal&) = delete;
  NoPipeSignal& operator=(const NoPipeSignal&) = delete;

 private:
  sigset_t pipe_{}, before_{};
  bool waited_ = false;
};

/// A file name or a name of a part inside quotes, as browsers write it.
std::string quoted(const std::string& name) {
  std::string out;
  for (const char c : name)
    out += c == '"' ? "%22" : c == '\r' ? "%0D" : c == '\n' ? "%0A" : std::string(1, c);
  return out;
}

std::string random_boundary() {
  std::random_device device;
  return fmt::format("yolov7-{:08x}{:08x}{:08x}", device(), device(), device());
}

std::string multipart(const std::vector<Part>& parts, const std::string& boundary) {
  std::string body;
  for (const Part& part : parts) {
    body += fmt::format("--{}\r\nContent-Disposition: form-data; name=\"{}\"", boundary,
                        quoted(part.name));
    if (!part.file_name.empty()) body += fmt::format("; filename=\"{}\"", quoted(part.file_name));
    if (!part.media_type.empty()) body += "\r\nContent-Type: " + part.media_type;
    body += "\r\n\r\n" + part.content + "\r\n";
  }
  return body + "--" + boundary + "--\r\n";
}

std::string target_of(const std::string& prefix, const Request& request) {
  std::string target = prefix + request.path;
  for (std::size_t i = 0; i < request.query.size(); ++i)
    target += (i == 0 ? "?" : "&") + escaped(request.query[i].first) + "=" +
              escaped(request.query[i].second);
  return target;
}

std::string words_of(httplib::Error error, const Limits& limits) {
  switch (error) {
    case httplib::Error::Connection: return "no connection";
    case httplib::Error::ConnectionTimeout:
      return fmt::format("no connection within {} s", limits.connect.count());
    case httplib::Error::Read:
    case httplib::Error::Write:
      return fmt::format("the connection was lost, or was silent for {} s", limits.silence.count());
    case httplib::Error::SSLConnection: return "no TLS connection";
    case httplib::Error::SSLServerVerification:
      return "its certificate is not trusted (SSL_CERT_FILE names further authorities)";
    case httplib::Error::Canceled: return "stopped";
    default: return httplib::to_string(error);
  }
}

Answer head_of(const httplib::Response& response) {
  Answer answer;
  answer.status = response.status;
  for (const auto& [name, value] : response.headers)
    answer.headers.emplace_back(text::lower(name), value);
  return answer;
}

/// An address that is none, for a message. A password may hold a slash ("http://u:a/b@host"), and a
/// key may stand in a query.
std::string without_secrets(const std::string& text) {
  return text.find_first_of("@?") == std::string::npos ? yolov7::text::printable(text) : "***";
}

void take_port(std::string_view rest, Address& address, const std::string& text,
               const std::string& what) {
  if (rest.empty()) return;
  int port = 0;
  const auto [end, code] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), port);
  if (rest[0] != ':' || code != std::errc() || end != rest.data() + rest.size() || port < 1 ||
      port > 65'535)
    throw usage_error(
        fmt::format("{}: expected a port of 1 to 65535, found '{}'", what, without_secrets(text)));
  address.port = port;
}

}  // namespace

std::string Address::origin() const {
  const std::string shown = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return scheme + "://" + shown + (port == 0 ? "" : fmt::format(":{}", port));
}

std::string Address::text() const { return origin() + prefix; }

bool Address::is_loopback() const {
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos);
}

Address parse_address(const std::string& text, const std::string& what) {
  Address address;
  const std::size_t colon = text.find("://");
  address.scheme = colon == std::string::npos ? "" : yolov7::text::lower(text.substr(0, colon));
  if (address.scheme != "http" && address.scheme != "https")
    throw usage_error(fmt::format("{}: expected an http or https address, found '{}'", what,
                                  without_secrets(text)));
  const std::string rest = text.substr(colon + 3);
  const std::size_t end = std::min(rest.find_first_of("/?#"), rest.size());
  std::string host = rest.substr(0, end);
  if (host.find('@') != std::string::npos)
    throw usage_error(fmt::format(
        "{}: expected an address without user and password, found one with them", what));
  if (rest.find_first_of("?#", end) != std::string::npos || has_control(text) ||
      text.find_first_of(" \\") != std::string::npos)
    throw usage_error(fmt::format(
        "{}: expected an address without a query, blanks and backslashes, found one with them",
        what));
  if (host.starts_with('[') && host.find(']') != std::string::npos) {
    const std::size_t bracket = host.find(']');
    take_port(std::string_view(host).substr(bracket + 1), address, text, what);
    host = host.substr(1, bracket - 1);
  } else if (const std::size_t at = host.find(':'); at != std::string::npos) {
    take_port(std::string_view(host).substr(at), address, text, what);
    host = host.substr(0, at);
  }
  if (host.empty())
    throw usage_error(
        fmt::format("{}: expected a host in the address, found '{}'", what, without_secrets(text)));
  address.host = yolov7::text::lower(host);
  address.prefix = rest.substr(end);
  while (address.prefix.ends_with('/')) address.prefix.pop_back();
  return address;
}

std::string Answer::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (key == name) return value;
  return "";
}

struct Client::Impl {
  Impl(const Address& to, const Limits& limit) : address(to), limits(limit), client(to.origin()) {
    client.set_connection_timeout(limits.connect);
    client.set_read_timeout(limits.silence);
    client.set_write_timeout(limits.silence);
    client.set_keep_alive(true);
    client.set_tcp_nodelay(true);
    client.set_url_encode(false);  // target_of() escapes
    client.set_follow_location(false);
  }

  httplib::Request request_of(const Request& request) const {
    httplib::Request out;
    out.method = request.method;
    out.path = target_of(address.prefix, request);
    out.headers.emplace("User-Agent", "yolov7.cpp/" + std::string(program_version()));
    for (const Fields* fields : {&headers, &request.headers})
      for (const auto& [name, value] : *fields) {
        out.headers.erase(name);
        out.headers.emplace(name, value);
      }
    std::string media_type = request.media_type;
    if (!request.parts.empty()) {
      const std::string boundary = random_boundary();
      out.body = multipart(request.parts, boundary);
      media_type = "multipart/form-data; boundary=" + boundary;
    } else {
      out.body = request.body;
    }
    if (!media_type.empty()) out.headers.emplace("Content-Type", media_type);
    return out;
  }

  Address address;
  Limits limits;
  httplib::Client client;
  Fields headers;
  mutable std::mutex secrets_mutex;
  std::vector<std::string> secrets;
  std::atomic<bool> stopped{false};
};

Client::Client(const Address& address, const Limits& limits) {
#ifndef CPPHTTPLIB_OPENSSL_SUPPORT
  if (address.scheme == "https")
    throw Error(
        fmt::format("{}: expected a program that was built with TLS (OpenSSL) for an https "
                    "address, found one without",
                    address.origin()));
#endif
  impl_ = std::make_unique<Impl>(address, limits);
}
Client::~Client() = default;

const Address& Client::address() const { return impl_->address; }

void Client::set_header(const std::string& name, const std::string& value) {
  if (has_control(value))
    throw usage_error(fmt::format(
        "{}: expected a value of the header {} without line feeds and other control characters",
        impl_->address.origin(), name));
  for (auto& [key, old] : impl_->headers)
    if (key == name) {
      old = value;
      return;
    }
  impl_->headers.emplace_back(name, value);
}

void Client::set_basic_auth(const std::string& user, const std::string& password) {
  hide(password);
  impl_->client.set_basic_auth(user, password);
}

void Client::hide(const std::string& secret) {
  if (secret.empty()) return;
  std::lock_guard lock(impl_->secrets_mutex);
  impl_->secrets.push_back(secret);
  if (const std::string other = escaped(secret); other != secret) impl_->secrets.push_back(other);
}

std::string Client::shown(std::string text) const {
  std::lock_guard lock(impl_->secrets_mutex);
  for (const std::string& secret : impl_->secrets)
    for (std::size_t at = 0; (at = text.find(secret, at)) != std::string::npos; at += 3)
      text.replace(at, secret.size(), "***");
  return text;
}

void Client::stop() {
  impl_->stopped = true;
  impl_->client.stop();
}

Outcome Client::try_once(const Request& request, const Receiver& receiver) {
  const NoPipeSignal no_pipe_signal;
  httplib::Request out = impl_->request_of(request);
  Outcome outcome;
  std::string body;
  bool too_long = false;
  std::optional<Answer> head;
  out.response_handler = [&](const httplib::Response& response) {
    head = head_of(response);
    return !impl_->stopped && (!receiver.begin || receiver.begin(*head));
  };
  out.content_receiver = [&](const char* bytes, std::size_t count, std::uint64_t, std::uint64_t) {
    if (impl_->stopped) return false;
    if (receiver.take) return receiver.take(bytes, count);
    too_long = body.size() + count > impl_->limits.answer_bytes;
    if (!too_long) body.append(bytes, count);
    return !too_long;
  };
  if (impl_->stopped) return {std::nullopt, "stopped"};
  httplib::Response response;
  auto error = httplib::Error::Success;
  if (impl_->client.send(out, response, error)) {
    outcome.answer = head_of(response);
    outcome.answer->body = std::move(body);
  } else if (too_long) {
    outcome.why = fmt::format("{}: expected an answer of at most {} bytes, found a longer one",
                              impl_->address.origin(), impl_->limits.answer_bytes);
  } else {
    outcome.why = fmt::format("{}: {}", impl_->address.text(), words_of(error, impl_->limits));
  }
  outcome.why = shown(std::move(outcome.why));
  return outcome;
}

Answer Client::send(const Request& request, const Tries& tries, const std::stop_token& stop) {
  const std::stop_callback on_stop(stop, [this] { impl_->client.stop(); });
  for (int number = 1;; ++number) {
    check_stop(stop);
    Outcome outcome = try_once(request);
    check_stop(stop);
    const bool final = number >= tries.most;
    if (outcome.answer && (final || !may_pass(outcome.answer->status)))
      return std::move(*outcome.answer);
    if (final)
      throw Error(fmt::format("{}{}", outcome.why,
                              tries.most > 1 ? fmt::format(" ({} tries)", tries.most) : ""));
    const auto wait = wait_before(number, tries, outcome);
    log::info(
        fmt::format("{} {}: {}; try {} of {} in {:.1f} s", request.method,
                    shown(impl_->address.origin() + request.path),
                    outcome.answer ? fmt::format("answer {}", outcome.answer->status) : outcome.why,
                    number + 1, tries.most, static_cast<double>(wait.count()) / 1000));
    wait_for(wait, stop);
  }
}

bool may_pass(int status) {
  return status == 408 || status == 429 || status == 500 || (status >= 502 && status <= 504);
}

std::chrono::milliseconds wait_before(int number, const Tries& tries, const Outcome& last) {
  if (last.answer)
    if (const auto asked = text::parse_int(text::trim(last.answer->header("retry-after")));
        asked && *asked >= 0)
      return std::min(tries.longest_asked,
                      std::chrono::milliseconds(1000 * std::min<std::int64_t>(*asked, 3600)));
  const auto whole = std::min(tries.longest, tries.first * (1 << std::min(number - 1, 20)));
  static thread_local std::minstd_rand random{std::random_device{}()};
  return whole / 2 + std::chrono::milliseconds(static_cast<std::int64_t>(
                         std::uniform_real_distribution<>(0, 0.5)(random) *
                         static_cast<double>(whole.count())));
}

void wait_for(std::chrono::milliseconds time, const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, stop, time, [] { return false; });
  check_stop(stop);
}

std::string escaped(std::string_view words, bool keep_slash) {
  std::string out;
  for (const char c : words) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' ||
                       c == '.' || c == '~' || (keep_slash && c == '/');
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::string complaint(const std::string& body) {
  json at = json::parse(body, nullptr, false);
  if (at.is_object() && at.contains("validation_errors")) at = at["validation_errors"].dump();
  for (const char* name : {"error", "message", "detail"})
    if (at.is_object() && at.contains(name) && (at[name].is_string() || at[name].is_object())) {
      json inner = at[name];
      at = std::move(inner);
    }
  std::string words = at.is_string() ? at.get<std::string>() : body;
  constexpr std::size_t longest = 300;
  if (words.size() <= longest) return words;
  std::size_t end = longest;
  while (end > 0 && (static_cast<unsigned char>(words[end]) & 0xC0) == 0x80) --end;
  return words.substr(0, end) + " …";
}

}  // namespace yolov7::http
