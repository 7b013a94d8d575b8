#include "video/ffmpeg.hpp"

#include <fmt/format.h>

#include <mutex>

#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "runtime/frames/sources.hpp"

namespace yolov7::video {
namespace {

void message(void* object, int level, const char* format, va_list arguments) {
  if (level > AV_LOG_WARNING || !log::wants(log::Level::debug)) return;
  char line[1024];
  int print_prefix = 1;
  av_log_format_line2(object, level, format, arguments, line, sizeof line, &print_prefix);
  log::debug(fmt::format("FFmpeg: {}", text::trim(line)));
}

}  // namespace

void Closer::operator()(AVFormatContext* context) const { avformat_close_input(&context); }
void Closer::operator()(AVCodecContext* context) const { avcodec_free_context(&context); }
void Closer::operator()(AVFrame* frame) const { av_frame_free(&frame); }
void Closer::operator()(AVPacket* packet) const { av_packet_free(&packet); }
void Closer::operator()(SwsContext* context) const { sws_freeContext(context); }

std::string reason(int code) {
  char text[AV_ERROR_MAX_STRING_SIZE];
  return av_strerror(code, text, sizeof text) == 0 ? text : fmt::format("error {}", code);
}

int checked(int code, const std::string& source, const char* what) {
  if (code < 0)
    throw Error(fmt::format("{}: expected {}, found: {}", shown(source), what, reason(code)));
  return code;
}

void route_messages() {
  static std::once_flag once;
  std::call_once(once, [] { av_log_set_callback(message); });
}

std::string shown(const std::string& source) { return runtime::without_credentials(source); }

}  // namespace yolov7::video
