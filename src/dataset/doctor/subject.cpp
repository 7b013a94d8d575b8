#include "dataset/doctor/subject.hpp"

#include <algorithm>
#include <system_error>

#include "core/encoding.hpp"
#include "core/error.hpp"
#include "core/file.hpp"
#include "core/stop.hpp"
#include "core/threads.hpp"
#include "dataset/index/label.hpp"
#include "dataset/index/read_index.hpp"
#include "dataset/index/ready_set.hpp"

namespace yolov7::dataset::doctor {
namespace fs = std::filesystem;
namespace {

/// Of a set in another format, as open_data() has prepared it.
void take_labels(const ReadyImage& image, Picture& picture) {
  picture.label = image.annotation;
  picture.has_label = image.annotated;
  const std::string text = format_labels(image.labels.labels);
  picture.label_hash = file::content_hash(text);
  picture.rows = read_rows(text, {}, 0);
}

void read_label_file(const Description& description, int key_point_columns, Picture& picture) {
  constexpr std::uint64_t most_bytes = 64u << 20;
  picture.label = label_path(picture.file);
  std::error_code error;
  picture.has_label = fs::exists(picture.label, error);
  if (!picture.has_label) return;
  try {
    const std::string text =
        text::as_utf8(file::read(picture.label, most_bytes), picture.label.string());
    picture.label_hash = file::content_hash(text);
    picture.rows = read_rows(text, description.names, key_point_columns);
  } catch (const Error& failure) {
    picture.label_fault = failure.what();
  }
}

Split read_split(const Description& description, const std::string& name,
                 const SubjectOptions& options) {
  Split split;
  split.name = name;
  Examination examination;
  examination.begin = [&](const std::vector<fs::path>& pictures) {
    split.pictures.resize(pictures.size());
    parallel_for(pictures.size(), threads_or_all(options.threads), [&](std::size_t i) {
      check_stop(options.stop);
      split.pictures[i].file = pictures[i];
      if (description.ready)
        take_labels(description.ready->splits.at(name)[i], split.pictures[i]);
      else
        read_label_file(description, examination.key_point_columns, split.pictures[i]);
    });
  };
  examination.look = [&](std::size_t i, std::string_view bytes, const cv::Mat& bgr) {
    split.pictures[i].look = look_at(bytes, bgr, split.pictures[i].rows);
    if (options.sketches) split.pictures[i].sketch = similarity::sketch_of(bgr);
  };
  IndexOptions reading;
  reading.single_cls = options.single_cls;
  reading.strict = options.strict;
  reading.recheck = options.recheck;
  reading.threads = options.threads;
  reading.stop = options.stop;
  reading.examination = &examination;
  split.index = read_index(description, name, reading);
  for (std::size_t i = 0; i < split.pictures.size(); ++i)
    split.pictures[i].facts = std::move(examination.facts[i]);
  split.orphans = std::move(examination.orphans);
  return split;
}

}  // namespace

bool Picture::own_box(const RawRow& row, double slack) const {
  return row.is_box() &&
         box_under(Layout{}, row.numbers(), facts.width, facts.height, slack).has_value();
}

std::size_t Subject::pictures() const {
  std::size_t count = 0;
  for (const Split& split : splits) count += split.pictures.size();
  return count;
}

Subject read_subject(const Description& description, const SubjectOptions& options) {
  Subject subject;
  subject.description = description;
  for (const char* name : {"train", "val", "test"})
    if (!description.split(name).empty())
      subject.splits.push_back(read_split(description, name, options));
  return subject;
}

}  // namespace yolov7::dataset::doctor
