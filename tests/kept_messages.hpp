#pragma once
// What code says through the log while a test looks.
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/log.hpp"

namespace yolov7::test {

/// Takes the place of the sink before for its life, and keeps messages of all levels.
class KeptMessages {
 public:
  KeptMessages() : kept_(std::make_shared<Kept>()), before_(log::install(kept_)) {}
  ~KeptMessages() { log::install(before_); }
  KeptMessages(const KeptMessages&) = delete;
  KeptMessages& operator=(const KeptMessages&) = delete;

  struct Message {
    log::Level level;
    std::string text;
    bool operator==(const Message&) const = default;
  };
  std::vector<Message> messages() const {
    const std::lock_guard lock(kept_->mutex);
    return kept_->messages;
  }
  /// From `least` on, as a terminal shows them.
  std::string text(log::Level least = log::Level::debug) const {
    std::string out;
    for (const Message& one : messages())
      if (one.level >= least) out += log::text_of(one.level, one.text);
    return out;
  }

 private:
  struct Kept final : log::Sink {
    bool wants(log::Level) const override { return true; }
    void write(log::Level level, std::string_view text) override {
      const std::lock_guard lock(mutex);
      messages.push_back({level, std::string(text)});
    }
    mutable std::mutex mutex;
    std::vector<Message> messages;
  };
  std::shared_ptr<Kept> kept_;
  std::shared_ptr<log::Sink> before_;
};

/// All that was said while `action` ran, as a terminal shows it; without debug lines.
template <class Action>
std::string messages_of(Action action) {
  const KeptMessages kept;
  action();
  return kept.text(log::Level::info);
}

}  // namespace yolov7::test
