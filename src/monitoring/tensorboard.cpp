#include "monitoring/tensorboard.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "core/error.hpp"
#include "core/record_file.hpp"

namespace yolov7::monitoring {
namespace {

// Protocol-buffer wire format: https://protobuf.dev/programming-guides/encoding. Little-endian
// machines only, as everywhere in this program.
static_assert(std::endian::native == std::endian::little);

std::string varint(std::uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>((value & 0x7F) | 0x80);
  out += static_cast<char>(value);
  return out;
}

template <class T>
std::string bytes_of(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

enum class Wire : std::uint64_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };
std::string key(int field, Wire wire) {
  return varint(static_cast<std::uint64_t>(field) << 3 | static_cast<std::uint64_t>(wire));
}

std::string whole(int field, std::int64_t value) {
  return key(field, Wire::varint) + varint(static_cast<std::uint64_t>(value));
}
std::string real(int field, double value) { return key(field, Wire::fixed64) + bytes_of(value); }
std::string single(int field, float value) { return key(field, Wire::fixed32) + bytes_of(value); }
std::string text_field(int field, std::string_view value) {
  return key(field, Wire::bytes) + varint(value.size()) + std::string(value);
}
/// An embedded message.
std::string message(int field, const std::string& content) { return text_field(field, content); }

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Fields of Event.
constexpr int wall_time = 1, step_field = 2, file_version = 3, graph_field = 4, summary_field = 5,
              session_log = 7;

/// Summary.Value with the metadata of a plugin.
std::string plugin_value(std::string_view tag, std::string_view plugin, const std::string& content,
                         const std::string& rest = {}) {
  const std::string data =
      text_field(1, plugin) + (content.empty() ? std::string() : message(2, content));
  return message(1, text_field(1, tag) + message(9, message(1, data)) + rest);
}

std::string value_of(const Hyperparameter& value) {  // google.protobuf.Value
  if (const auto* number = std::get_if<double>(&value)) return real(2, *number);
  if (const auto* flag = std::get_if<bool>(&value)) return whole(4, *flag ? 1 : 0);
  return text_field(3, std::get<std::string>(value));
}

}  // namespace

TensorBoardWriter::TensorBoardWriter(const std::filesystem::path& folder, std::int64_t first_step) {
  static std::atomic<int> number{0};
  path_ = folder / fmt::format("events.out.tfevents.{}.yolov7.{}.{}", static_cast<long long>(now()),
                               ::getpid(), number++);
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (file_ < 0)
    throw Error(fmt::format("{}: cannot be made: {}", path_.string(), std::strerror(errno)));
  event(0, text_field(file_version, "brain.Event:2"));
  // SessionLog.status = START. TensorBoard takes the second one of a folder, and each after it, for
  // a continuation.
  event(first_step, message(session_log, whole(1, 1)));
}

TensorBoardWriter::~TensorBoardWriter() { ::close(file_); }

void TensorBoardWriter::event(std::int64_t step, std::string_view what) {
  const std::string data = real(wall_time, now()) +
                           (step != 0 ? whole(step_field, step) : std::string()) +
                           std::string(what);
  const std::string record = framed_record(data);
  if (::write(file_, record.data(), record.size()) != static_cast<ssize_t>(record.size()))
    throw Error(fmt::format("{}: cannot be written: {}", path_.string(), std::strerror(errno)));
}

void TensorBoardWriter::scalars(std::int64_t step,
                                const std::vector<std::pair<std::string, double>>& values) {
  std::string summary;
  for (const auto& [tag, value] : values)
    summary += message(1, text_field(1, tag) + single(2, static_cast<float>(value)));
  event(step, message(summary_field, summary));
}

void TensorBoardWriter::picture(std::int64_t step, const std::string& tag, std::string_view encoded,
                                int width, int height) {
  constexpr int red_green_blue = 3;
  const std::string image =
      whole(1, height) + whole(2, width) + whole(3, red_green_blue) + text_field(4, encoded);
  event(step, message(summary_field, message(1, text_field(1, tag) + message(4, image))));
}

void TensorBoardWriter::text(std::int64_t step, const std::string& tag,
                             const std::string& markdown) {
  constexpr int strings = 7;  // DT_STRING
  const std::string tensor =
      whole(1, strings) + message(2, message(2, whole(1, 1))) + text_field(8, markdown);
  event(step, message(summary_field,
                      plugin_value(tag + "/text_summary", "text", {}, message(8, tensor))));
}

// tensorboard/plugins/hparams: api.proto, plugin_data.proto, hparams_plugin_data version 0.
void TensorBoardWriter::hyperparameters(const std::map<std::string, Hyperparameter>& values,
                                        const std::vector<std::string>& metrics) {
  constexpr int kinds[] = {3, 2,
                           1};  // DATA_TYPE_FLOAT64, BOOL, STRING, in the order of the variant
  std::string experiment = real(3, now()), session;
  for (const auto& [name, value] : values) {
    experiment += message(4, text_field(1, name) + whole(4, kinds[value.index()]));
    session += message(1, text_field(1, name) + message(2, value_of(value)));
  }
  for (const std::string& tag : metrics) experiment += message(5, message(1, text_field(2, tag)));
  session += real(5, now());
  event(0,
        message(summary_field,
                plugin_value("_hparams_/experiment", "hparams", message(2, experiment)) +
                    plugin_value("_hparams_/session_start_info", "hparams", message(3, session))));
}

void TensorBoardWriter::finished() {
  constexpr int success = 1;
  event(0, message(summary_field, plugin_value("_hparams_/session_end_info", "hparams",
                                               message(4, whole(1, success) + real(2, now())))));
}

void TensorBoardWriter::graph(const std::vector<GraphNode>& nodes) {
  std::string definition;
  for (const GraphNode& node : nodes) {
    std::string one = text_field(1, node.name) + text_field(2, node.operation);
    for (const std::string& input : node.inputs) one += text_field(3, input);
    std::string shape;
    for (const std::int64_t side : node.output_shape) shape += message(2, whole(1, side));
    one += message(5, text_field(1, "_output_shapes") + message(2, message(1, message(7, shape))));
    definition += message(1, one);
  }
  constexpr int producer = 22;  // of GraphDef's version, from which shapes are read
  definition += message(4, whole(1, producer));
  event(0, message(graph_field, definition));
}

}  // namespace yolov7::monitoring
