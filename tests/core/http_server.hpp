#pragma once
// A server that answers what a test wants, in a thread of its own; and one that speaks raw bytes.
#include <arpa/inet.h>
#include <httplib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace yolov7::test {

class HttpServer {
 public:
  using Answer = std::function<void(const httplib::Request&, httplib::Response&)>;
  explicit HttpServer(Answer answer) : answer_(std::move(answer)) {
    const auto handle = [this](const httplib::Request& request, httplib::Response& response) {
      {
        std::lock_guard lock(mutex_);
        seen_.push_back(request);
      }
      answer_(request, response);
    };
    server.Get(".*", handle);
    server.Post(".*", handle);
    server.Put(".*", handle);
    server.Patch(".*", handle);
    server.Delete(".*", handle);
    port = server.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server.listen_after_bind(); });
    while (!server.is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  ~HttpServer() {
    server.stop();
    thread_.join();
  }
  std::string address() const { return "http://127.0.0.1:" + std::to_string(port); }
  std::vector<httplib::Request> seen() const {
    std::lock_guard lock(mutex_);
    return seen_;
  }

  httplib::Server server;
  int port = 0;

 private:
  Answer answer_;
  mutable std::mutex mutex_;
  std::vector<httplib::Request> seen_;
  std::thread thread_;
};

/// For each connection: reads a request's head, says the next of these texts as it is, and closes.
class RawServer {
 public:
  explicit RawServer(std::vector<std::string> answers) : answers_(std::move(answers)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_, reinterpret_cast<sockaddr*>(&place), sizeof place);
    ::listen(listener_, 16);
    socklen_t length = sizeof place;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&place), &length);
    port = ntohs(place.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~RawServer() {
    ::shutdown(listener_, SHUT_RDWR);
    ::close(listener_);
    thread_.join();
  }
  std::string address() const { return "http://127.0.0.1:" + std::to_string(port); }
  std::vector<std::string> heads() const {
    std::lock_guard lock(mutex_);
    return heads_;
  }
  int port = 0;

 private:
  void serve() {
    for (std::size_t i = 0;; ++i) {
      const int connection = ::accept(listener_, nullptr, nullptr);
      if (connection < 0) return;
      std::string head;
      char c = 0;
      while (head.find("\r\n\r\n") == std::string::npos && ::recv(connection, &c, 1, 0) == 1)
        head += c;
      {
        std::lock_guard lock(mutex_);
        heads_.push_back(head);
      }
      const std::string& answer = answers_[std::min(i, answers_.size() - 1)];
      ::send(connection, answer.data(), answer.size(), MSG_NOSIGNAL);
      ::shutdown(connection, SHUT_WR);
      // Until the other side has closed, so that no reset throws away what it has not read.
      while (::recv(connection, &c, 1, 0) == 1) {
      }
      ::close(connection);
    }
  }
  std::vector<std::string> answers_;
  int listener_ = -1;
  mutable std::mutex mutex_;
  std::vector<std::string> heads_;
  std::thread thread_;
};

}  // namespace yolov7::test
