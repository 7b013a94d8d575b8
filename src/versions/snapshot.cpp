#include "versions/snapshot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <system_error>

#include "core/error.hpp"
#include "core/progress.hpp"
#include "core/stop.hpp"
#include "core/threads.hpp"
#include "dataset/index/label.hpp"
#include "versions/annotations.hpp"

namespace yolov7::versions {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t most_label_bytes = 64u << 20;

/// One file of the set, however many splits it is in.
struct Work {
  explicit Work(std::size_t first) : image(first) {}
  std::size_t image;  ///< the first of its path
  FileRecord record;
  fs::path label;
  std::string text;  ///< of annotations that were read now
  bool missing = false, image_known = false, label_known = false, annotated = false;
};

class Taking {
 public:
  Taking(const WorkingSet& set, Store& store, const SnapshotOptions& options)
      : set_(set),
        store_(store),
        options_(options),
        cache_file_(store.folder() / "cache" / (file::content_hash(set.root.string()) + ".files")),
        started_ns_(now_ns()),
        cache_(cache_file_, store.generation()) {
    for (std::size_t i = 0; i < set.images.size(); ++i)
      if (i == 0 || set.images[i].path != set.images[i - 1].path) work_.emplace_back(i);
  }

  Snapshot take() {
    look();
    read();
    Snapshot result = std::move(result_);
    result.left_out = set_.left_out;
    collect(result);
    return result;
  }

 private:
  int threads() const { return threads_or_all(options_.threads); }
  const WorkingImage& image_of(const Work& work) const { return set_.images[work.image]; }

  /// Sizes and times of all files, and what the cache knows of them.
  void look() {
    parallel_for(work_.size(), threads(), [&](std::size_t i) {
      Work& work = work_[i];
      const WorkingImage& image = image_of(work);
      work.record.path = image.path;
      const auto stamp = stamp_of(image.file);
      work.missing = !stamp;
      if (!stamp) return;
      work.record.image_stamp = *stamp;
      const FileRecord* known = options_.recheck ? nullptr : cache_.find(image.path);
      work.image_known = known != nullptr && known->image_stamp == *stamp;
      if (work.image_known) work.record.image = known->image;
      if (image.annotations) return;
      work.label = dataset::label_path(image.file);
      const auto label = stamp_of(work.label);
      work.annotated = label.has_value();
      if (!label) return;
      work.record.label_stamp = *label;
      work.label_known = known != nullptr && known->label_stamp == *label;
      if (!work.label_known) return;
      work.record.label = known->label;
      work.record.rows = known->rows;
      work.record.odd = known->odd;
    });
  }

  void read() {
    std::vector<Work*> unknown;
    for (Work& work : work_) {
      if (work.missing) continue;
      const bool labels = image_of(work).annotations || (work.annotated && !work.label_known);
      if (labels || !work.image_known) unknown.push_back(&work);
    }
    if (unknown.empty()) return;
    if (options_.keep) known_ = store_.known_objects();
    Progress progress("reading", unknown.size(), "images");
    parallel_for(unknown.size(), threads(), [&](std::size_t i) {
      check_stop(options_.stop);
      if (!unknown[i]->image_known) read_image(*unknown[i]);
      read_labels(*unknown[i]);
      progress.advance();
    });
    progress.finish();
  }

  void read_image(Work& work) {
    thread_local std::vector<char> buffer;
    const HashedFile file(image_of(work).file, buffer);
    work.record.image = file.digest();
    work.record.image_stamp = file.stamp();
    if (!options_.keep) {
      const std::lock_guard lock(mutex_);
      ++result_.images_read;
      return;
    }
    const auto known = known_.find(file.digest());
    const bool in_store = known != known_.end();
    const Transfer how = store_.objects().add(file, in_store ? &known->second : nullptr);
    ObjectFacts facts{file.stamp().bytes, file.stamp().modified_ns};
    if (how != Transfer::hard_link) facts = store_.objects().facts_of(file.digest());
    work.record.image_stamp = file.stamp_now();  // a link changes the time of change
    const std::lock_guard lock(mutex_);
    ++result_.images_read;
    ++result_.by_transfer[static_cast<std::size_t>(how)];
    (how == Transfer::copy ? result_.bytes_copied : result_.bytes_shared) += facts.bytes;
    if (!in_store || how != Transfer::there) result_.objects.insert_or_assign(file.digest(), facts);
  }

  void read_labels(Work& work) {
    if (const auto& given = image_of(work).annotations) {
      work.text = *given;
      work.record.rows = static_cast<std::uint32_t>(row_count(work.text));
      work.annotated = true;
    } else if (!work.annotated || work.label_known) {
      return;
    } else {
      LabelText labels = text_of_labels(file::read(work.label, most_label_bytes));
      work.text = std::move(labels.text);
      work.record.rows = static_cast<std::uint32_t>(labels.rows);
      work.record.odd = static_cast<std::uint32_t>(labels.odd);
    }
    work.record.label = sha256_digest(work.text);
  }

  void collect(Snapshot& result) {
    std::size_t at = 0;
    for (std::size_t k = 0; k < work_.size(); ++k) {
      Work& work = work_[k];
      const std::size_t end = k + 1 < work_.size() ? work_[k + 1].image : set_.images.size();
      if (work.missing) {
        result.left_out.push_back(image_of(work).file.string() + ": no such file");
        at = end;
        continue;
      }
      for (; at < end; ++at) {
        Item item{set_.images[at].path, set_.images[at].split, work.record.image, {}};
        if (work.annotated) item.annotations = work.record.label;
        result.content.items.push_back(std::move(item));
        result.boxes += work.record.rows;
      }
      if (work.record.odd > 0) {
        result.odd_rows += work.record.odd;
        result.odd_files.push_back(work.label.string());
      }
      if (!work.text.empty()) {
        ++result.labels_read;
        result.texts.emplace(work.record.label, std::move(work.text));
      }
      result.files.push_back(std::move(work.record));
    }
    result.content.classes = set_.classes;
    result.cache_file = cache_file_;
    result.started_ns = started_ns_;
  }

  const WorkingSet& set_;
  Store& store_;
  const SnapshotOptions& options_;
  fs::path cache_file_;
  std::int64_t started_ns_;
  FileCache cache_;
  KnownObjects known_;
  std::vector<Work> work_;
  Snapshot result_;
  std::mutex mutex_;
};

}  // namespace

Snapshot take_snapshot(const WorkingSet& set, Store& store, const SnapshotOptions& options) {
  return Taking(set, store, options).take();
}

void remember_files(const Snapshot& snapshot, Store& store) {
  FileCache(snapshot.cache_file, store.generation()).save(snapshot.files, snapshot.started_ns);
}

}  // namespace yolov7::versions
