#include "training/distributed/peer_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "core/text.hpp"

namespace yolov7::training {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds beat_interval{500};
constexpr std::chrono::milliseconds silence{3000};  // after that a process counts as gone
constexpr std::chrono::milliseconds longest_search{8000};
constexpr std::chrono::milliseconds spread{
    2000};  // that all have read a verdict before the store's process ends
constexpr const char* verdict_key = "watch/verdict";

std::string key(int rank) { return fmt::format("watch/{}", rank); }

struct Peer {
  std::string last;                          ///< its last sign
  Clock::time_point changed = Clock::now();  ///< when that was new
  long calls = 0;
};

}  // namespace

struct PeerWatch::State {
  c10::intrusive_ptr<c10d::Store> store;
  int rank = 0, size = 1;
  std::atomic<long> calls{0};
  std::mutex mutex;  // guards what follows
  std::condition_variable changed;
  std::vector<Peer> peers;
  std::string wanted, verdict;  ///< to be announced; announced by whoever was first
  bool store_lost = false, stop = false, ended = false;

  void run();
  void beat(long number);
  std::string silent_peer();  ///< "" = all show signs of life
  std::string slowest_peer();
};

void PeerWatch::State::run() {
  std::unique_lock lock(mutex);
  for (long number = 1; !stop; ++number) {
    lock.unlock();
    bool lost = false;
    try {
      beat(number);
    } catch (const std::exception&) {
      lost = true;
    }
    lock.lock();
    store_lost = store_lost || lost;
    if (!stop && (wanted.empty() || !verdict.empty())) changed.wait_for(lock, beat_interval);
  }
  ended = true;
  changed.notify_all();
}

/// One round of talk with the store; any of its calls may hang where the network does.
void PeerWatch::State::beat(long number) {
  store->set(key(rank), fmt::format("{} {}", number, calls.load()));
  std::string announced;
  {
    std::lock_guard lock(mutex);
    announced = wanted;
  }
  if (!announced.empty())
    announced = store->compareSet(verdict_key, "", announced);
  else if (store->check({verdict_key}))
    announced = store->get_to_str(verdict_key);
  std::vector<std::string> signs(static_cast<std::size_t>(size));
  for (int i = 0; i < size; ++i)
    if (store->check({key(i)})) signs[static_cast<std::size_t>(i)] = store->get_to_str(key(i));
  std::lock_guard lock(mutex);
  verdict = announced;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    if (signs[i].empty() || signs[i] == peers[i].last) continue;
    const auto entered = text::parse_int(std::string_view(signs[i]).substr(signs[i].find(' ') + 1));
    peers[i] = {signs[i], Clock::now(), entered ? static_cast<long>(*entered) : peers[i].calls};
  }
  changed.notify_all();
}

std::string PeerWatch::State::silent_peer() {
  std::lock_guard lock(mutex);
  if (store_lost && rank != 0)
    return fmt::format("rank 0 of {} is gone: the common store, which it holds, does not answer",
                       size);
  for (int i = 0; i < size; ++i) {
    const auto quiet = Clock::now() - peers[static_cast<std::size_t>(i)].changed;
    if (i != rank && quiet > silence)
      return fmt::format("rank {} of {} is gone: no sign of life for {:.0f} s", i, size,
                         std::chrono::duration<double>(quiet).count());
  }
  return {};
}

std::string PeerWatch::State::slowest_peer() {
  std::lock_guard lock(mutex);
  const auto slowest = std::min_element(
      peers.begin(), peers.end(), [](const Peer& a, const Peer& b) { return a.calls < b.calls; });
  const auto who = static_cast<int>(slowest - peers.begin());
  if (who == rank || slowest->calls >= calls.load()) return {};
  return fmt::format("rank {} of {} is stuck: the others have waited for it until the deadline",
                     who, size);
}

PeerWatch::PeerWatch(c10::intrusive_ptr<c10d::Store> store, int rank, int size)
    : state_(std::make_shared<State>()) {
  state_->store = store->clone();
  state_->rank = rank;
  state_->size = size;
  state_->peers.resize(static_cast<std::size_t>(size));
  std::thread([state = state_] { state->run(); }).detach();
}

PeerWatch::~PeerWatch() {
  std::unique_lock lock(state_->mutex);
  state_->stop = true;
  state_->changed.notify_all();
  state_->changed.wait_for(lock, spread, [&] { return state_->ended; });
}

void PeerWatch::progress() { ++state_->calls; }

std::string PeerWatch::verdict(const std::string& what) {
  const auto start = Clock::now();
  std::string found;
  while (found.empty() && Clock::now() - start < longest_search) {
    {
      std::unique_lock lock(state_->mutex);
      if (!state_->verdict.empty()) return state_->verdict;
      state_->changed.wait_for(lock, beat_interval / 5);
    }
    found = state_->silent_peer();
  }
  if (found.empty()) found = state_->slowest_peer();
  return announce(found.empty() ? what : found);
}

std::string PeerWatch::announce(const std::string& text) {
  std::unique_lock lock(state_->mutex);
  if (!state_->verdict.empty()) return state_->verdict;
  state_->wanted = text;
  state_->changed.notify_all();
  const auto limit = Clock::now() + spread;
  state_->changed.wait_until(lock, limit, [&] { return !state_->verdict.empty(); });
  const std::string first = state_->verdict.empty() ? text : state_->verdict;
  lock.unlock();
  std::this_thread::sleep_until(limit);
  return first;
}

}  // namespace yolov7::training
