#pragma once
// An HTTP server of one MJPEG stream that can stall and drop: frames are numbered by the clock,
// whoever listens or not.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/file.hpp"
#include "image/codec/codec.hpp"
#include "tests/video/video_fixture.hpp"

namespace yolov7::testing {

class MjpegServer {
 public:
  enum class Mood { serves, stalls, refuses };
  static constexpr double rate = 30;

  explicit MjpegServer(std::filesystem::path scratch)
      : scratch_(std::move(scratch)), start_(std::chrono::steady_clock::now()) {
    for (unsigned i = 0; i < 64; ++i) parts_.push_back(encoded(i));
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    const int yes = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address_), sizeof address_) != 0 ||
        listen(listener_, 16) != 0)
      std::abort();
    socklen_t length = sizeof address_;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address_), &length);
    accepting_ = std::thread([this] { accept_all(); });
  }
  ~MjpegServer() {
    ending_ = true;
    shutdown(listener_, SHUT_RDWR);
    accepting_.join();
    for (std::thread& one : serving_) one.join();
    close(listener_);
  }

  std::string address(const std::string& path = "stream") const {
    return "http://127.0.0.1:" + std::to_string(ntohs(address_.sin_port)) + "/" + path;
  }
  void set(Mood mood) { mood_ = mood; }
  /// The number that a frame sent now has.
  unsigned now() const {
    return static_cast<unsigned>(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count() * rate);
  }
  std::atomic<int> connections = 0;

 private:
  /// Low six bits of the number; the frames repeat every 64, about two seconds.
  std::string encoded(unsigned number) {
    const std::filesystem::path path = scratch_ / "frame.jpg";
    write_picture(path, numbered_frame(number));
    return file::read(path);
  }

  void accept_all() {
    while (!ending_) {
      const int client = accept(listener_, nullptr, nullptr);
      if (client < 0) continue;
      if (mood_ == Mood::refuses) {
        close(client);
        continue;
      }
      ++connections;
      serving_.emplace_back([this, client] { serve(client); });
    }
  }
  bool put(int client, const std::string& text) {
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t sent = send(client, text.data() + at, text.size() - at, MSG_NOSIGNAL);
      if (sent <= 0) return false;
      at += static_cast<std::size_t>(sent);
    }
    return true;
  }
  void serve(int client) {
    char request[4096];
    bool alive = recv(client, request, sizeof request, 0) > 0;
    alive = alive && put(client,
                         "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; "
                         "boundary=frame\r\nConnection: close\r\n\r\n");
    for (unsigned last = 0; alive && !ending_ && mood_ != Mood::refuses;) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
      const unsigned number = now();
      if (number == last || mood_ == Mood::stalls) continue;
      last = number;
      const std::string& part = parts_[number % parts_.size()];
      alive = put(client, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: " +
                              std::to_string(part.size()) + "\r\n\r\n" + part + "\r\n");
    }
    close(client);
  }

  std::filesystem::path scratch_;
  std::chrono::steady_clock::time_point start_;
  std::vector<std::string> parts_;
  int listener_;
  sockaddr_in address_{};
  std::atomic<Mood> mood_ = Mood::serves;
  std::atomic<bool> ending_ = false;
  std::thread accepting_;
  std::vector<std::thread> serving_;
};

}  // namespace yolov7::testing
