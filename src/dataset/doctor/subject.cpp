#include "dataset/doctor/subject.hpp"

#include <span>
#include <unordered_set>
#include <utility>

#include "core/file.hpp"
#include "core/stop.hpp"
#include "core/threads.hpp"
#include "dataset/doctor/measure_cache.hpp"
#include "dataset/formats/open_data.hpp"
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

void take_label(const LabelText& label, const Description& description, int key_point_columns,
                Picture& picture) {
  picture.label = label.path;
  picture.has_label = label.found;
  picture.label_fault = label.fault;
  if (!label.found || !label.fault.empty()) return;
  picture.label_hash = file::content_hash(label.text);
  picture.rows = read_rows(label.text, description.names, key_point_columns);
}

/// Reads splits and measures their images, or takes what is known of them.
class Reader {
 public:
  explicit Reader(const SubjectOptions& options) : options_(options) {
    looks_.opened = [this](const fs::path& index_cache) { open(index_cache); };
    looks_.known = [this](const std::string& rows, const PictureFacts& facts) {
      return cache_.holds(measure_key(facts.content_hash, read_rows(rows, {}, 0)));
    };
    looks_.look = [this](const std::string& text, std::string_view bytes, const cv::Mat& bgr) {
      const std::vector<RawRow> rows = read_rows(text, {}, 0);
      Measures measures{look_at(bytes, bgr, rows), sketch_of(bgr)};
      cache_.put(measure_key(file::content_hash(bytes), rows), std::move(measures));
    };
  }

  const ImageLooks& looks() const { return looks_; }

  Split read(const Description& description, const std::string& name) {
    Split split;
    split.name = name;
    Examination examination;
    examination.begin = [&](const std::vector<fs::path>& pictures) {
      begin(description, pictures, split);
    };
    examination.label = [&](std::size_t i, const LabelText& label) {
      take_label(label, description, examination.key_point_columns, split.pictures[i]);
    };
    examination.opened = [&](const fs::path& index_cache) { open(index_cache); };
    examination.known = [&](std::size_t i, const PictureFacts& facts) {
      Picture& picture = split.pictures[i];
      return cache_.find(measure_key(facts.content_hash, picture.rows), picture.look,
                         picture.sketch);
    };
    examination.look = [&](std::size_t i, std::string_view bytes, const cv::Mat& bgr) {
      split.pictures[i].look = look_at(bytes, bgr, split.pictures[i].rows);
      split.pictures[i].sketch = sketch_of(bgr);
    };
    IndexOptions reading;
    reading.single_cls = options_.single_cls;
    reading.strict = options_.strict;
    reading.recheck = options_.recheck;
    reading.threads = options_.threads;
    reading.stop = options_.stop;
    reading.examination = &examination;
    split.index = read_index(description, name, reading);
    for (std::size_t i = 0; i < split.pictures.size(); ++i)
      split.pictures[i].facts = std::move(examination.facts[i]);
    split.orphans = std::move(examination.orphans);
    return split;
  }

  /// Keeps what was measured, where that is more than was kept. Sets in other formats have one file
  /// for all splits, others one for each.
  void save(std::span<const Split> splits) {
    if (!options_.sketches || file_.empty()) return;
    std::vector<KeptMeasures> measures;
    std::unordered_set<std::string> keys;
    std::size_t kept = 0;
    for (const Split& split : splits)
      for (const Picture& picture : split.pictures) {
        if (!picture.look.taken || picture.facts.content_hash.empty()) continue;
        std::string key = measure_key(picture.facts.content_hash, picture.rows);
        if (!keys.insert(key).second) continue;
        kept += in_file_.contains(key) ? 1 : 0;
        measures.push_back({std::move(key), &picture.look, &picture.sketch});
      }
    if (kept < measures.size() || kept < in_file_.size()) save_measures(file_, measures);
  }

 private:
  /// One file is open at a time.
  void open(const fs::path& index_cache) {
    const fs::path file = measures_file(index_cache);
    if (file == file_) return;
    file_ = file;
    cache_.clear();
    cache_.load(file);
    in_file_ = cache_.keys();
  }

  void begin(const Description& description, const std::vector<fs::path>& pictures, Split& split) {
    split.pictures.resize(pictures.size());
    for (std::size_t i = 0; i < pictures.size(); ++i) split.pictures[i].file = pictures[i];
    if (!description.ready) return;
    const std::vector<ReadyImage>& images = description.ready->splits.at(split.name);
    parallel_for(pictures.size(), threads_or_all(options_.threads), [&](std::size_t i) {
      check_stop(options_.stop);
      take_labels(images[i], split.pictures[i]);
    });
  }

  similarity::Sketch sketch_of(const cv::Mat& bgr) const {
    return options_.sketches ? similarity::sketch_of(bgr) : similarity::Sketch{};
  }

  const SubjectOptions& options_;
  ImageLooks looks_;
  fs::path file_;
  MeasureCache cache_;
  std::unordered_set<std::string> in_file_;
};

Subject read_splits(const Description& description, Reader& reader) {
  Subject subject;
  subject.description = description;
  for (const char* name : {"train", "val", "test"}) {
    if (description.split(name).empty()) continue;
    subject.splits.push_back(reader.read(description, name));
    if (!description.ready) reader.save({&subject.splits.back(), 1});
  }
  if (description.ready) reader.save(subject.splits);
  return subject;
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

Subject read_subject(const std::string& data, const SubjectOptions& options) {
  Reader reader(options);
  OpenDataOptions opening;
  opening.recheck = options.recheck;
  opening.threads = options.threads;
  opening.stop = options.stop;
  opening.looks = &reader.looks();
  return read_splits(open_data(data, opening), reader);
}

Subject read_subject(const Description& description, const SubjectOptions& options) {
  Reader reader(options);
  return read_splits(description, reader);
}

}  // namespace yolov7::dataset::doctor
