#include "training/distributed/peer_watch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "core/text.hpp"

namespace yolov7::training {
namespace {

constexpr std::chrono::milliseconds beat_interval{500};
constexpr std::chrono::milliseconds silence{3000};       // after that a process counts as gone
constexpr std::chrono::milliseconds longest_search{8000};
constexpr std::chrono::milliseconds spread{1500};        // that all have read a verdict before the store's process ends
constexpr const char* verdict_key = "watch/verdict";

std::string key(int rank) { return fmt::format("watch/{}", rank); }

std::string seconds_text(std::chrono::steady_clock::duration d) { return fmt::format("{:.0f} s", std::chrono::duration<double>(d).count()); }

}  // namespace

PeerWatch::PeerWatch(c10::intrusive_ptr<c10d::Store> store, int rank, int size)
    : store_(store->clone()), rank_(rank), size_(size), peers_(static_cast<std::size_t>(size)) {
  for (Peer& peer : peers_) peer.changed = Clock::now();
  store_->set(key(rank_), std::string("0 0"));
  thread_ = std::jthread([this](std::stop_token stop) { watch(stop); });
}

PeerWatch::~PeerWatch() {
  thread_.request_stop();
  wake_.notify_all();
}

void PeerWatch::watch(std::stop_token stop) {
  while (!stop.stop_requested()) {
    try {
      store_->set(key(rank_), fmt::format("{} {}", ++beats_, calls_.load()));
      look();
    } catch (const std::exception&) {
      std::lock_guard lock(mutex_);
      store_lost_ = true;
    }
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, stop, beat_interval, [] { return false; });
  }
}

void PeerWatch::look() {
  if (store_->check({verdict_key})) {
    const std::string text = store_->get_to_str(verdict_key);
    std::lock_guard lock(mutex_);
    verdict_ = text;
  }
  for (int rank = 0; rank < size_; ++rank) {
    if (!store_->check({key(rank)})) continue;  // not there yet
    const std::string sign = store_->get_to_str(key(rank));
    std::lock_guard lock(mutex_);
    Peer& peer = peers_[static_cast<std::size_t>(rank)];
    if (sign == peer.last) continue;
    peer.last = sign;
    peer.changed = Clock::now();
    const auto calls = text::parse_int(std::string_view(sign).substr(sign.find(' ') + 1));
    peer.calls = calls ? static_cast<long>(*calls) : peer.calls;
  }
}

std::string PeerWatch::silent_peer() {
  std::lock_guard lock(mutex_);
  if (store_lost_ && rank_ != 0) return fmt::format("rank 0 of {} is gone (it held the common store)", size_);
  for (int rank = 0; rank < size_; ++rank) {
    const Peer& peer = peers_[static_cast<std::size_t>(rank)];
    const auto quiet = Clock::now() - peer.changed;
    if (rank != rank_ && quiet > silence) return fmt::format("rank {} of {} is gone: no sign of life for {}", rank, size_, seconds_text(quiet));
  }
  return {};
}

std::string PeerWatch::slowest_peer() {
  std::lock_guard lock(mutex_);
  const auto slowest = std::min_element(peers_.begin(), peers_.end(), [](const Peer& a, const Peer& b) { return a.calls < b.calls; });
  const auto rank = static_cast<int>(slowest - peers_.begin());
  if (rank == rank_ || slowest->calls >= calls_.load()) return {};
  return fmt::format("rank {} of {} is stuck: the others have waited for it until the deadline", rank, size_);
}

std::string PeerWatch::verdict(const std::string& what) {
  const auto start = Clock::now();
  std::string found;
  while (found.empty() && Clock::now() - start < longest_search) {
    {
      std::lock_guard lock(mutex_);
      if (!verdict_.empty()) return verdict_;
    }
    found = silent_peer();
    if (found.empty()) std::this_thread::sleep_for(beat_interval / 5);
  }
  if (found.empty()) found = slowest_peer();
  if (found.empty()) found = what;
  announce(found);
  std::lock_guard lock(mutex_);
  return verdict_.empty() ? found : verdict_;
}

void PeerWatch::announce(const std::string& text) {
  try {
    const std::string first = store_->compareSet(verdict_key, "", text);
    {
      std::lock_guard lock(mutex_);
      verdict_ = first;
    }
    std::this_thread::sleep_for(spread);
  } catch (const std::exception&) {
    // The store's process is gone; each process then finds that out for itself.
  }
}

}  // namespace yolov7::training
