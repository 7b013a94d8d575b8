// Version, errors and messages of yolov7.h.
#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "bindings/handles.hpp"
#include "core/log.hpp"
#include "core/setting_name.hpp"
#include "core/version.hpp"

namespace {

using namespace yolov7::bindings;

class CallbackSink final : public yolov7::log::Sink {
 public:
  CallbackSink(int lowest, yolov7_log_function function, void* context)
      : lowest_(lowest), function_(function), context_(context) {}
  bool wants(yolov7::log::Level level) const override {
    return static_cast<int>(level) >= lowest_ && level != yolov7::log::Level::silent;
  }
  void write(yolov7::log::Level level, std::string_view text) override {
    function_(static_cast<int>(level), std::string(text).c_str(), context_);
  }

 private:
  int lowest_;
  yolov7_log_function function_;
  void* context_;
};
static_assert(static_cast<int>(yolov7::log::Level::debug) == YOLOV7_LOG_DEBUG);
static_assert(static_cast<int>(yolov7::log::Level::error) == YOLOV7_LOG_ERROR);

/// Messages name the members of yolov7.h's structs, which are Python's arguments, too.
std::string member(std::string_view key) {
  if (key == "img-size") return "image_size";
  std::string name(key);
  std::ranges::replace(name, '-', '_');
  return name;
}
[[maybe_unused]] const auto spelling_before = yolov7::install_setting_spelling(member);

}  // namespace

int yolov7_abi_version(void) { return YOLOV7_ABI_VERSION; }
const char* yolov7_version(void) { return yolov7::program_version().data(); }

const char* yolov7_error_message(const yolov7_error* error) {
  return error == nullptr ? "" : error->message.c_str();
}
int yolov7_error_code(const yolov7_error* error) { return error == nullptr ? 0 : error->code; }
void yolov7_error_free(yolov7_error* error) { delete error; }

void yolov7_set_log(int lowest_level, yolov7_log_function function, void* context) {
  guarded(nullptr, [&] {
    std::shared_ptr<yolov7::log::Sink> next;
    if (function != nullptr) next = std::make_shared<CallbackSink>(lowest_level, function, context);
    const std::shared_ptr<yolov7::log::Sink> before = yolov7::log::install(std::move(next));
    // Whoever writes a message holds the sink: the caller may free `context` after this.
    while (before.use_count() > 1) std::this_thread::yield();
    std::atomic_thread_fence(std::memory_order_acquire);
  });
}
