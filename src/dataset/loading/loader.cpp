#include "dataset/loading/loader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/threads.hpp"
#include "dataset/augment/sample_output.hpp"
#include "dataset/loading/epoch_plan.hpp"
#include "dataset/loading/sample_pipeline.hpp"

namespace yolov7::dataset {
namespace {

constexpr std::size_t quad_group = 4;

void check(const Index& index, const LoaderOptions& o) {
  if (index.entries.empty())
    throw Error(
        fmt::format("batch loader: expected images in split '{}', found none", index.split));
  if (o.batch_size < 1 || o.image_size < 1 || o.stride < 1)
    throw Error(fmt::format(
        "batch loader: expected batch size, image size and stride of at least 1, found {}, {}, {}",
        o.batch_size, o.image_size, o.stride));
  if (o.drawn_share >= 0 && (o.rectangular || !o.drawn || o.drawn->size() != index.entries.size()))
    throw Error(
        fmt::format("batch loader: a share of drawn images: expected {} marks and no rectangular "
                    "batches, found {}{}",
                    index.entries.size(), o.drawn ? o.drawn->size() : 0,
                    o.rectangular ? " with rectangular batches" : ""));
  if (o.weights && o.weights->size() != index.entries.size())
    throw Error(fmt::format("batch loader: expected weights for {} images, found {}",
                            index.entries.size(), o.weights->size()));
  if (o.image_size % o.stride != 0)
    throw Error(fmt::format(
        "batch loader: expected an image size that is a multiple of the stride {}, found {}",
        o.stride, o.image_size));
  if (o.part < 0 || o.part >= o.parts ||
      (o.sharing == LoaderOptions::Sharing::samples && o.batch_size % o.parts != 0))
    throw Error(fmt::format(
        "batch loader: expected a batch size that {} processes divide, found {} (part {})", o.parts,
        o.batch_size, o.part));
  if (o.quad && std::min<std::size_t>(static_cast<std::size_t>(o.batch_size),
                                      index.entries.size()) < quad_group)
    throw Error(
        fmt::format("batch loader: quad needs batches of at least 4 images, found batch size {} "
                    "and {} images",
                    o.batch_size, index.entries.size()));
}

std::size_t sample_bytes(cv::Size shape) {
  return 3 * static_cast<std::size_t>(shape.width) * static_cast<std::size_t>(shape.height);
}

/// A batch being built. Its samples are written by different threads to places of their own.
struct Pending {
  decltype(Batch::pixels) pixels;
  std::vector<FinishedSample> samples;
  std::size_t taken = 0, open = 0;  ///< samples handed out; samples not finished
  std::size_t failed_sample = 0;
  std::exception_ptr failure;  ///< of the first failing sample, whichever thread came first
};

void prepare(Pending& pending, const PlannedBatch& plan) {
  pending.open = plan.entries.size();
  pending.pixels.resize(plan.entries.size() * sample_bytes(plan.shape));
  pending.samples.resize(plan.entries.size());
}

Batch collate(Pending& pending, const PlannedBatch& plan, std::size_t number) {
  Batch batch;
  batch.number = number;
  batch.count = static_cast<int>(plan.entries.size());
  batch.height = plan.shape.height;
  batch.width = plan.shape.width;
  batch.pixels = std::move(pending.pixels);
  for (std::size_t i = 0; i < pending.samples.size(); ++i) {
    append(batch.marks, batch.targets.size(), pending.samples[i].marks,
           pending.samples[i].targets.size(), i);
    for (std::array<float, 6> row : pending.samples[i].targets) {
      row[0] = static_cast<float>(i);
      batch.targets.push_back(row);
    }
    batch.origins.push_back(pending.samples[i].origin);
  }
  return batch;
}

/// Groups of four; what is left over is dropped (data 9).
Batch collate_quad(Pending& pending, const PlannedBatch& plan, std::size_t number,
                   std::uint64_t seed, int epoch) {
  Batch batch;
  const std::size_t groups = plan.entries.size() / quad_group,
                    group_bytes = quad_group * sample_bytes(plan.shape);
  batch.number = number;
  batch.count = static_cast<int>(groups);
  batch.height = 2 * plan.shape.height;
  batch.width = 2 * plan.shape.width;
  batch.pixels.resize(groups * group_bytes);
  for (std::size_t g = 0; g < groups; ++g) {
    const std::size_t first = g * quad_group;
    Random random(seed, static_cast<std::uint32_t>(epoch),
                  static_cast<std::uint32_t>(plan.first_position + first),
                  static_cast<std::uint32_t>(Operation::quad));
    const bool alone = random.chance(0.5);
    quad_planes(pending.pixels.data() + g * group_bytes, plan.shape.height, plan.shape.width, alone,
                batch.pixels.data() + g * group_bytes);
    std::array<std::vector<std::array<float, 6>>, quad_group> targets;
    std::array<TargetMarks, quad_group> marks;
    std::array<std::size_t, quad_group> counts{};
    for (std::size_t i = 0; i < quad_group; ++i) {
      counts[i] = pending.samples[first + i].targets.size();
      marks[i] = std::move(pending.samples[first + i].marks);
      targets[i] = std::move(pending.samples[first + i].targets);
    }
    const auto together = quad_targets(targets, alone);
    append(batch.marks, batch.targets.size(), quad_marks(marks, counts, alone), together.size(), g);
    for (std::array<float, 6> row : together) {
      row[0] = static_cast<float>(g);
      batch.targets.push_back(row);
    }
    batch.origins.push_back(pending.samples[first].origin);
  }
  return batch;
}

}  // namespace

struct BatchLoader::Impl {
  Impl(const Index& the_index, const LoaderOptions& the_options)
      : index(the_index),
        options(the_options),
        pictures(the_index, the_options.image_size, the_options.augment, the_options.cache_bytes,
                 the_options.scaled_decoding),
        pipeline(index, options, pictures),
        plan(plan_epoch(the_index, the_options, 0)) {
    const int batch = static_cast<int>(
        std::min<std::size_t>(static_cast<std::size_t>(options.batch_size), index.entries.size()));
    threads = batch > 1 ? std::max(0, std::min({usable_cores(), batch, options.workers})) : 0;
  }
  ~Impl() { stop(); }

  void start(int the_epoch, std::size_t first) {
    stop();
    epoch = the_epoch;
    plan = plan_epoch(index, options, epoch, weights);
    delivered = first;
    window.clear();
    stopping = false;
    started = true;
    for (int i = 0; i < threads; ++i) pool.emplace_back([this] { work(); });
  }

  std::optional<Batch> next() {
    if (!started) throw Error("batch loader: next() before start()");
    if (delivered >= plan.batches.size()) return std::nullopt;
    if (threads == 0) return next_here();
    std::unique_lock lock(mutex);
    finished.wait(lock, [&] { return !window.empty() && window.front().open == 0; });
    if (window.front().failure) std::rethrow_exception(window.front().failure);
    Pending pending = std::move(window.front());
    window.pop_front();
    const std::size_t number = delivered++;
    room.notify_all();
    lock.unlock();
    return hand_out(pending, number);
  }

  const Index& index;
  const LoaderOptions options;
  std::vector<double> weights;  ///< of pictures; empty = every picture once
  ResizedPictures pictures;
  SamplePipeline pipeline;
  EpochPlan plan;  ///< constant while threads run
  int threads = 0;

 private:
  /// The next sample to build: batch `delivered + offset`, sample `sample`.
  struct Job {
    std::size_t number = 0, sample = 0;
    Pending* pending = nullptr;
  };

  void stop() {
    {
      std::lock_guard lock(mutex);
      stopping = true;
      room.notify_all();
    }
    pool.clear();  // joins
  }

  Batch hand_out(Pending& pending, std::size_t number) const {
    const PlannedBatch& planned = plan.batches[number];
    return options.quad ? collate_quad(pending, planned, planned.number, options.seed, epoch)
                        : collate(pending, planned, planned.number);
  }

  std::optional<Batch> next_here() {
    Pending pending;
    prepare(pending, plan.batches[delivered]);
    for (std::size_t i = 0; i < pending.samples.size(); ++i)
      build({delivered, i, &pending}, memory_here);
    return hand_out(pending, delivered++);
  }

  void build(const Job& job, PipelineMemory& memory) const {
    const PlannedBatch& planned = plan.batches[job.number];
    std::uint8_t* const planes =
        job.pending->pixels.data() + job.sample * sample_bytes(planned.shape);
    const SampleKey key{planned.entries[job.sample], epoch, planned.first_position + job.sample};
    job.pending->samples[job.sample] =
        pipeline.build(key, plan.order, planned.shape, planes, memory);
  }

  /// Waits for something to do; nothing to do any more: no pending batch. A deque keeps the
  /// addresses of its elements when the ends grow and shrink, and a batch stays in it until its
  /// last sample is finished.
  Job take() {
    std::unique_lock lock(mutex);
    for (;;) {
      if (stopping) return {};
      for (std::size_t i = 0; i < window.size(); ++i)
        if (window[i].taken < window[i].samples.size())
          return {delivered + i, window[i].taken++, &window[i]};
      const std::size_t number = delivered + window.size();
      if (number >= plan.batches.size()) return {};
      if (window.size() < static_cast<std::size_t>(std::max(1, options.prefetch))) {
        open_batch(number);
      } else {
        room.wait(lock);
      }
    }
  }

  /// A batch that finds no memory is handed out as a failure in its turn.
  void open_batch(std::size_t number) {
    Pending& pending = window.emplace_back();
    try {
      prepare(pending, plan.batches[number]);
    } catch (...) {
      pending.samples.clear();
      pending.open = 0;
      pending.failure = std::current_exception();
      finished.notify_one();
    }
    room.notify_all();
  }

  void work() {
    PipelineMemory memory;
    for (Job job = take(); job.pending; job = take()) {
      std::exception_ptr failure;
      try {
        build(job, memory);
      } catch (...) {
        failure = std::current_exception();
      }
      std::lock_guard lock(mutex);
      Pending& pending = *job.pending;
      if (failure && (!pending.failure || job.sample < pending.failed_sample)) {
        pending.failure = failure;
        pending.failed_sample = job.sample;
      }
      if (--pending.open == 0) finished.notify_one();
    }
  }

  int epoch = 0;
  bool started = false;
  PipelineMemory memory_here;
  std::mutex mutex;
  std::condition_variable room, finished;
  std::deque<Pending> window;  ///< batches delivered, delivered + 1, …
  std::size_t delivered = 0;   ///< number of the next batch for the caller
  bool stopping = false;
  std::vector<std::jthread> pool;
};

BatchLoader::BatchLoader(const Index& index, const LoaderOptions& options) {
  check(index, options);
  impl_ = std::make_unique<Impl>(index, options);
}

BatchLoader::~BatchLoader() = default;
std::size_t BatchLoader::batches() const { return impl_->plan.batches.size(); }
int BatchLoader::threads() const { return impl_->threads; }
std::size_t BatchLoader::cached_pictures() const { return impl_->pictures.fitting(); }
std::size_t BatchLoader::decoded_pictures() const { return impl_->pictures.decoded(); }
void BatchLoader::set_weights(std::vector<double> weights) {
  if (!weights.empty() &&
      (weights.size() != impl_->index.entries.size() || impl_->options.rectangular))
    throw Error(
        fmt::format("batch loader: expected {} weights and no rectangular batches, found {}{}",
                    impl_->index.entries.size(), weights.size(),
                    impl_->options.rectangular ? " with rectangular batches" : ""));
  impl_->weights = std::move(weights);
}
void BatchLoader::start(int epoch, std::size_t first) { impl_->start(epoch, first); }
std::optional<Batch> BatchLoader::next() { return impl_->next(); }

}  // namespace yolov7::dataset
