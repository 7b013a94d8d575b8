#include "dataset/similarity/candidates.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <mutex>

#include "core/random.hpp"
#include "core/stop.hpp"
#include "core/threads.hpp"

namespace yolov7::dataset::similarity {
namespace {

using Pair = std::pair<std::size_t, std::size_t>;
using Known = std::function<bool(std::size_t, std::size_t)>;

constexpr std::size_t compare_all_up_to = 3000;
constexpr int least_product = 47'186;  // 0.72 · 256²
constexpr std::size_t bucket_size = 64, largest_bucket = 512, window = 64, most_tables_at_once = 16;
constexpr int most_bits = 20, most_splits = 12;
constexpr std::uint32_t plane_operation = 0x706C616E;  // a stream of its own

int product(const Direction& a, const Direction& b) {
  int sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

/// An image at a cut. The image without a cut is compared with all cuts of the others.
struct Item {
  std::uint32_t image, cut;
};

void add_unique(std::vector<Pair>& pairs, std::vector<Pair> further) {
  pairs.insert(pairs.end(), further.begin(), further.end());
  std::sort(pairs.begin(), pairs.end());
  pairs.erase(std::unique(pairs.begin(), pairs.end()), pairs.end());
}

std::vector<Pair> from_all_pairs(std::span<const Sketch> sketches, int threads,
                                 const std::stop_token& stop) {
  std::vector<std::vector<Pair>> found(sketches.size());
  parallel_for(sketches.size(), threads, [&](std::size_t i) {
    check_stop(stop);
    const Sketch& a = sketches[i];
    if (a.plain != 0) return;
    for (std::size_t j = i + 1; j < sketches.size(); ++j) {
      const Sketch& b = sketches[j];
      if (b.plain == 0 && are_candidates(a, b)) found[i].emplace_back(i, j);
    }
  });
  std::vector<Pair> pairs;
  for (const auto& some : found) pairs.insert(pairs.end(), some.begin(), some.end());
  return pairs;
}

/// A normal of ±1 in every component.
Direction plane(std::uint32_t table, std::uint32_t bit) {
  Random random(0, table, bit, plane_operation);
  Direction result;
  for (std::size_t i = 0; i < result.size(); i += 32) {
    const std::uint32_t word = random.next();
    for (std::size_t k = 0; k < 32; ++k) result[i + k] = (word >> k & 1) != 0 ? 1 : -1;
  }
  return result;
}

class Table {
 public:
  Table(std::span<const Sketch> sketches, std::uint32_t number, int bits, const Known& known)
      : sketches_(sketches), number_(number), bits_(bits), known_(known) {}

  /// Pairs of the items that lie on the same sides of all planes.
  std::vector<Pair> pairs(const std::vector<Item>& items, const std::stop_token& stop) {
    found_.clear();
    stop_ = stop;
    split(items, 0, bits_);
    std::sort(found_.begin(), found_.end());
    found_.erase(std::unique(found_.begin(), found_.end()), found_.end());
    return std::move(found_);
  }

 private:
  /// Sorts the items by `count` planes from `first` on and looks at each bucket.
  void split(const std::vector<Item>& items, int first, int count) {
    check_stop(stop_);
    std::vector<Direction> planes;
    for (int bit = 0; bit < count; ++bit)
      planes.push_back(plane(number_, static_cast<std::uint32_t>(first + bit)));
    std::vector<std::uint32_t> starts((std::size_t{1} << count) + 1), keys;
    keys.reserve(items.size());
    for (const Item& item : items) {
      std::uint32_t key = 0;
      for (const Direction& one : planes)
        key = key << 1 | (product(one, direction(item)) > 0 ? 1U : 0U);
      keys.push_back(key);
      ++starts[key + 1];
    }
    for (std::size_t i = 1; i < starts.size(); ++i) starts[i] += starts[i - 1];
    std::vector<Item> sorted(items.size());
    std::vector<std::uint32_t> next(starts.begin(), starts.end() - 1);
    for (std::size_t i = 0; i < items.size(); ++i) sorted[next[keys[i]]++] = items[i];
    for (std::size_t bucket = 0; bucket + 1 < starts.size(); ++bucket) {
      const std::vector<Item> inside(sorted.begin() + starts[bucket],
                                     sorted.begin() + starts[bucket + 1]);
      if (inside.size() > largest_bucket && first + count < bits_ + most_splits)
        split(inside, first + count, 2);
      else
        compare(inside);
    }
  }

  /// Items stand in the order of their images. An image without a cut meets all others, or those
  /// next to it where there are very many.
  void compare(const std::vector<Item>& items) {
    std::vector<Direction> directions;
    for (const Item& item : items) directions.push_back(direction(item));
    const std::size_t reach = items.size() > largest_bucket ? window : items.size();
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (items[i].cut != 0) continue;
      const std::size_t first = i > reach ? i - reach : 0;
      const std::size_t end = std::min(items.size(), i + 1 + reach);
      for (std::size_t j = first; j < end; ++j) {
        if (items[i].image == items[j].image || (items[j].cut == 0 && j < i)) continue;
        if (product(directions[i], directions[j]) < least_product) continue;
        const Pair pair = std::minmax<std::size_t>(items[i].image, items[j].image);
        if (!known_(pair.first, pair.second)) found_.push_back(pair);
      }
    }
  }

  const Direction& direction(const Item& item) const {
    return sketches_[item.image].directions[item.cut];
  }

  std::span<const Sketch> sketches_;
  std::uint32_t number_;
  int bits_;
  const Known& known_;
  std::stop_token stop_;
  std::vector<Pair> found_;
};

std::vector<Pair> from_tables(std::span<const Sketch> sketches, std::size_t first,
                              std::size_t count, int bits, int threads, const Known& known,
                              const std::stop_token& stop) {
  std::vector<Item> items;
  for (std::uint32_t i = 0; i < sketches.size(); ++i)
    for (std::uint32_t cut = 0; cut < cuts.size() && sketches[i].plain == 0; ++cut)
      items.push_back({i, cut});
  std::vector<Pair> pairs;
  std::mutex mutex;
  parallel_for(count, threads, [&](std::size_t k) {
    Table table(sketches, static_cast<std::uint32_t>(first + k), bits, known);
    std::vector<Pair> found = table.pairs(items, stop);
    const std::lock_guard lock(mutex);
    add_unique(pairs, std::move(found));
  });
  return pairs;
}

}  // namespace

bool are_candidates(const Sketch& a, const Sketch& b) {
  for (std::size_t cut = 0; cut < cuts.size(); ++cut)
    if (product(a.directions[0], b.directions[cut]) >= least_product ||
        product(a.directions[cut], b.directions[0]) >= least_product)
      return true;
  return false;
}

CandidateSearch::CandidateSearch(std::span<const Sketch> sketches, int threads,
                                 std::stop_token stop)
    : sketches_(sketches), threads_(threads_or_all(threads)), stop_(std::move(stop)) {
  if (sketches.size() <= compare_all_up_to) return;
  const std::size_t buckets = sketches.size() * cuts.size() / bucket_size;
  bits_ = std::clamp(static_cast<int>(std::bit_width(buckets)) - 1, 4, most_bits);
  // Two directions at the angle acos 0.8 lie on the same side of a plane with this probability.
  constexpr double same_side = 0.7952, wanted = 0.99;
  tables_ = static_cast<std::size_t>(
      std::ceil(std::log(1 - wanted) / std::log1p(-std::pow(same_side, bits_))));
}

bool CandidateSearch::next(const Known& known, Pairs& pairs) {
  if (done_ >= std::max<std::size_t>(tables_, 1)) return false;
  if (tables_ == 0) {
    pairs = from_all_pairs(sketches_, threads_, stop_);
    done_ = 1;
    return true;
  }
  // One table, then one more, then 2, 4 …: what it finds first spares the later ones work.
  const std::size_t count =
      std::min({std::max<std::size_t>(done_, 1), most_tables_at_once, tables_ - done_});
  pairs = from_tables(sketches_, done_, count, bits_, threads_, known, stop_);
  done_ += count;
  return true;
}

CandidateSearch::Pairs candidate_pairs(std::span<const Sketch> sketches, int threads,
                                       const std::stop_token& stop) {
  CandidateSearch search(sketches, threads, stop);
  CandidateSearch::Pairs all, batch;
  const Known none = [](std::size_t, std::size_t) { return false; };
  while (search.next(none, batch)) add_unique(all, std::move(batch));
  return all;
}

}  // namespace yolov7::dataset::similarity
