#include "dataset/doctor/read_subject.hpp"

#include <map>
#include <unordered_set>
#include <utility>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/progress.hpp"
#include "core/stop.hpp"
#include "core/threads.hpp"
#include "dataset/doctor/causes.hpp"
#include "dataset/doctor/contrast.hpp"
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
    looks_.look = [this](const std::string& text, std::string_view bytes,
                         const PicturePlanes& planes) {
      const std::vector<RawRow> rows = read_rows(text, {}, 0);
      Measures measures{looked_at(bytes, planes, rows), sketch_of(planes)};
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
    examination.look = [&](std::size_t i, std::string_view bytes, const PicturePlanes& planes) {
      split.pictures[i].look = looked_at(bytes, planes, split.pictures[i].rows);
      split.pictures[i].sketch = sketch_of(planes);
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
    files_.push_back(file_);
    return split;
  }

  /// Measures whole what causes hang on, and keeps what is new.
  void finish(Subject& subject) {
    const bool more = settle(subject);
    if (!options_.sketches) return;
    for (const auto& [file, keys] : in_files_) {
      std::vector<const Split*> splits;
      for (std::size_t i = 0; i < subject.splits.size(); ++i)
        if (files_[i] == file) splits.push_back(&subject.splits[i]);
      save(file, keys, splits, more);
    }
  }

 private:
  /// One file is open at a time. Sets in other formats have one for all splits.
  void open(const fs::path& index_cache) {
    const fs::path file = measures_file(index_cache);
    if (file == file_) return;
    file_ = file;
    cache_.clear();
    cache_.load(file);
    if (!file.empty()) in_files_.emplace(file, cache_.keys());
  }

  static Look looked_at(std::string_view bytes, const PicturePlanes& planes,
                        const std::vector<RawRow>& rows) {
    Look look = look_at(bytes, planes, rows);
    if (has_odd_row(rows)) static_cast<BoxContrast&>(look) = whole_contrast(bytes, "image", rows);
    return look;
  }

  /// Whether anything was left to settle.
  bool settle(Subject& subject) const {
    bool more = false;
    for (;;) {
      const auto open = unsettled(subject);
      if (open.empty()) return more;
      more = true;
      std::vector<Picture*> pictures;
      for (Split& split : subject.splits)
        for (Picture& picture : split.pictures)
          if (open.contains(&picture)) pictures.push_back(&picture);
      Progress progress("looking closer", pictures.size(), "images");
      parallel_for(pictures.size(), threads_or_all(options_.threads), [&](std::size_t i) {
        check_stop(options_.stop);
        look_closer(*pictures[i]);
        progress.advance();
      });
      progress.finish();
    }
  }

  static void look_closer(Picture& picture) {
    const std::string bytes = file::read(picture.file, DecodeLimits{}.file_bytes);
    if (file::content_hash(bytes) != picture.facts.content_hash)
      throw Error(picture.file.string() + ": was changed while the data set was read");
    static_cast<BoxContrast&>(picture.look) =
        whole_contrast(bytes, picture.file.string(), picture.rows);
  }

  /// Replaces the file where there is more to keep than it holds, or less, or `more` was settled.
  static void save(const fs::path& file, const std::unordered_set<std::string>& in_file,
                   const std::vector<const Split*>& splits, bool more) {
    std::vector<KeptMeasures> measures;
    std::unordered_set<std::string> keys;
    std::size_t kept = 0;
    for (const Split* split : splits)
      for (const Picture& picture : split->pictures) {
        if (!picture.look.taken || picture.facts.content_hash.empty()) continue;
        std::string key = measure_key(picture.facts.content_hash, picture.rows);
        if (!keys.insert(key).second) continue;
        kept += in_file.contains(key) ? 1 : 0;
        measures.push_back({std::move(key), &picture.look, &picture.sketch});
      }
    if (more || kept < measures.size() || kept < in_file.size()) save_measures(file, measures);
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

  similarity::Sketch sketch_of(const PicturePlanes& planes) const {
    return options_.sketches ? similarity::sketch_of(planes) : similarity::Sketch{};
  }

  const SubjectOptions& options_;
  ImageLooks looks_;
  fs::path file_;
  MeasureCache cache_;
  std::vector<fs::path> files_;  ///< of measures, for each split
  std::map<fs::path, std::unordered_set<std::string>> in_files_;
};

Subject read_splits(const Description& description, bool single_cls, Reader& reader) {
  Subject subject;
  subject.description = description;
  subject.single_cls = single_cls;
  for (const char* name : {"train", "val", "test"}) {
    if (description.split(name).empty()) continue;
    subject.splits.push_back(reader.read(description, name));
  }
  reader.finish(subject);
  return subject;
}

}  // namespace

Subject read_subject(const std::string& data, const SubjectOptions& options) {
  Reader reader(options);
  OpenDataOptions opening;
  opening.recheck = options.recheck;
  opening.threads = options.threads;
  opening.stop = options.stop;
  opening.looks = &reader.looks();
  return read_splits(open_data(data, opening), options.single_cls, reader);
}

Subject read_subject(const Description& description, const SubjectOptions& options) {
  Reader reader(options);
  return read_splits(description, options.single_cls, reader);
}

}  // namespace yolov7::dataset::doctor
