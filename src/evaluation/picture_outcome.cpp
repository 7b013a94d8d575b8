#include "evaluation/picture_outcome.hpp"

#include <cstring>

#include "core/append_bytes.hpp"
#include "core/error.hpp"

namespace yolov7::evaluation {
namespace {

template <class T>
void put_all(std::string& out, const std::vector<T>& values) {
  append_bytes(out, values.size());
  for (const T& value : values) append_bytes(out, value);
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  bool done() const { return bytes_.empty(); }

  template <class T>
  T take() {
    if (bytes_.size() < sizeof(T))
      throw Error("validation by several processes: a message of another process is not whole");
    T value;
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_.remove_prefix(sizeof value);
    return value;
  }
  template <class T>
  std::vector<T> take_all() {
    std::vector<T> values;
    for (auto left = take<std::size_t>(); left > 0; --left) values.push_back(take<T>());
    return values;
  }

 private:
  std::string_view bytes_;
};

}  // namespace

std::string to_bytes(const std::vector<PictureOutcome>& outcomes) {
  std::string out;
  for (const PictureOutcome& one : outcomes) {
    append_bytes(out, one.batch);
    append_bytes(out, one.entry);
    put_all(out, one.detections);
    put_all(out, one.targets);
    append_bytes(out, one.highest_score);
    append_bytes(out, one.dropped_not_finite);
  }
  return out;
}

std::vector<PictureOutcome> outcomes_of(std::string_view bytes) {
  std::vector<PictureOutcome> outcomes;
  for (Reader reader(bytes); !reader.done();) {
    PictureOutcome one;
    one.batch = reader.take<std::size_t>();
    one.entry = reader.take<std::size_t>();
    one.detections = reader.take_all<Detection>();
    one.targets = reader.take_all<Target>();
    one.highest_score = reader.take<float>();
    one.dropped_not_finite = reader.take<std::size_t>();
    outcomes.push_back(std::move(one));
  }
  return outcomes;
}

}  // namespace yolov7::evaluation
