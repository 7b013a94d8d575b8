#include "evaluation/metrics/tracking_metrics.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <set>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/linear_assignment.hpp"
#include "core/text.hpp"

namespace yolov7::evaluation {
namespace {

double distance(const Xyxy& a, const Xyxy& b) {
  const double overlap = iou(a, b);
  return std::isnan(overlap) ? 1 : 1 - overlap;
}

class Counter {
 public:
  Counter(double iou_thres, TrackingResult& result) : limit_(1 - iou_thres), result_(result) {}

  void frame(const std::vector<TrackedBox>& truth, const std::vector<TrackedBox>& found) {
    ++result_.frames;
    result_.objects += truth.size();
    result_.predictions += found.size();
    std::vector<unsigned char> object_done(truth.size(), 0), found_done(found.size(), 0);
    keep_last(truth, found, object_done, found_done);
    assign_rest(truth, found, object_done, found_done);
    for (std::size_t i = 0; i < truth.size(); ++i) result_.misses += object_done[i] ? 0 : 1;
    for (std::size_t j = 0; j < found.size(); ++j) result_.false_positives += found_done[j] ? 0 : 1;
    for (const TrackedBox& object : truth)
      for (const TrackedBox& one : found)
        if (allowed(object, one)) ++together_[{object.track, one.track}];
    for (const TrackedBox& object : truth) ++objects_[object.track];
    for (const TrackedBox& one : found) ++predictions_[one.track];
  }

  void finish() {
    const double total = static_cast<double>(result_.objects);
    result_.mota =
        1 -
        static_cast<double>(result_.misses + result_.false_positives + result_.switches) / total;
    const std::size_t pairs = result_.matches + result_.switches;
    result_.motp = pairs > 0 ? distance_ / static_cast<double>(pairs)
                             : std::numeric_limits<double>::quiet_NaN();
    identities();
  }

 private:
  bool allowed(const TrackedBox& a, const TrackedBox& b) const {
    return distance(a.box, b.box) <= limit_;
  }
  void pair(const TrackedBox& object, const TrackedBox& one) {
    const auto [entry, first] = last_.try_emplace(object.track, one.track);
    if (!first && entry->second != one.track)
      ++result_.switches;
    else
      ++result_.matches;
    entry->second = one.track;
    distance_ += distance(object.box, one.box);
  }

  void keep_last(const std::vector<TrackedBox>& truth, const std::vector<TrackedBox>& found,
                 std::vector<unsigned char>& object_done, std::vector<unsigned char>& found_done) {
    for (std::size_t i = 0; i < truth.size(); ++i) {
      const auto last = last_.find(truth[i].track);
      if (last == last_.end()) continue;
      for (std::size_t j = 0; j < found.size(); ++j) {
        if (found_done[j] || found[j].track != last->second || !allowed(truth[i], found[j]))
          continue;
        object_done[i] = found_done[j] = 1;
        pair(truth[i], found[j]);
        break;
      }
    }
  }

  void assign_rest(const std::vector<TrackedBox>& truth, const std::vector<TrackedBox>& found,
                   std::vector<unsigned char>& object_done,
                   std::vector<unsigned char>& found_done) {
    std::vector<std::size_t> rows, columns;
    for (std::size_t i = 0; i < truth.size(); ++i)
      if (!object_done[i]) rows.push_back(i);
    for (std::size_t j = 0; j < found.size(); ++j)
      if (!found_done[j]) columns.push_back(j);
    // Being alone costs more than any sum of distances, so that as many pairs as possible are made.
    const double forbidden = 4 * static_cast<double>(rows.size() + columns.size() + 1),
                 limit = forbidden / 2;
    std::vector<double> costs;
    for (const std::size_t i : rows)
      for (const std::size_t j : columns)
        costs.push_back(allowed(truth[i], found[j]) ? distance(truth[i].box, found[j].box)
                                                    : forbidden);
    const std::vector<int> pairs = assign(costs, rows.size(), columns.size(), limit);
    for (std::size_t r = 0; r < rows.size(); ++r) {
      if (pairs[r] < 0) continue;
      const std::size_t i = rows[r], j = columns[static_cast<std::size_t>(pairs[r])];
      object_done[i] = found_done[j] = 1;
      pair(truth[i], found[j]);
    }
  }

  /// One prediction's track for each object's at most, with the most frames together.
  void identities() {
    std::vector<std::int64_t> rows, columns;
    for (const auto& [track, count] : objects_) rows.push_back(track);
    for (const auto& [track, count] : predictions_) columns.push_back(track);
    std::vector<double> costs;
    double most = 1;
    for (const std::int64_t a : rows)
      for (const std::int64_t b : columns) {
        const auto together = together_.find({a, b});
        costs.push_back(together == together_.end() ? 0 : -static_cast<double>(together->second));
        most = std::max(most, -costs.back());
      }
    // Shifted so that a pair never together is as good as none.
    for (double& cost : costs) cost += most;
    const std::vector<int> pairs = assign(costs, rows.size(), columns.size(), most);
    for (std::size_t r = 0; r < rows.size(); ++r)
      if (pairs[r] >= 0)
        result_.identity_true_positives += static_cast<std::size_t>(
            std::lround(most - costs[r * columns.size() + static_cast<std::size_t>(pairs[r])]));
    const auto true_positives = static_cast<double>(result_.identity_true_positives);
    result_.idp = true_positives / static_cast<double>(result_.predictions);
    result_.idr = true_positives / static_cast<double>(result_.objects);
    result_.idf1 = 2 * true_positives / static_cast<double>(result_.objects + result_.predictions);
  }

  double limit_, distance_ = 0;
  TrackingResult& result_;
  std::map<std::int64_t, std::int64_t> last_;
  std::map<std::pair<std::int64_t, std::int64_t>, std::size_t> together_;
  std::map<std::int64_t, std::size_t> objects_, predictions_;
};

}  // namespace

TrackingResult tracking_metrics(const TrackedFrames& truth, const TrackedFrames& predictions,
                                double iou_thres) {
  TrackingResult result;
  Counter counter(iou_thres, result);
  std::set<std::int64_t> frames;
  for (const auto& [frame, boxes] : truth) frames.insert(frame);
  for (const auto& [frame, boxes] : predictions) frames.insert(frame);
  const std::vector<TrackedBox> none;
  const auto of = [&](const TrackedFrames& all,
                      std::int64_t frame) -> const std::vector<TrackedBox>& {
    const auto found = all.find(frame);
    return found == all.end() ? none : found->second;
  };
  for (const std::int64_t frame : frames) counter.frame(of(truth, frame), of(predictions, frame));
  counter.finish();
  return result;
}

TrackedFrames read_tracks(const std::filesystem::path& path, bool truth) {
  return parse_tracks(file::read(path, std::uint64_t{1} << 30), path.string(), truth);
}

TrackedFrames parse_tracks(std::string_view content, const std::string& source, bool truth) {
  TrackedFrames frames;
  std::size_t number = 0;
  std::set<std::pair<std::int64_t, std::int64_t>> seen;
  for (const std::string_view line : text::lines(content)) {
    ++number;
    if (text::trim(line).empty()) continue;
    const std::vector<std::string_view> parts = text::split(line, ',');
    const auto wrong = [&](const std::string& found) {
      return Error(fmt::format("{}:{}: expected frame, track, left, top, width, height, found {}",
                               source, number, found));
    };
    if (parts.size() < 6) throw wrong(fmt::format("{} values", parts.size()));
    std::vector<double> values;
    for (std::size_t i = 0; i < std::min<std::size_t>(parts.size(), 7); ++i) {
      const auto value = text::parse_double(text::trim(parts[i]));
      if (!value || !std::isfinite(*value)) throw wrong(fmt::format("'{}'", text::trim(parts[i])));
      values.push_back(*value);
    }
    if (values[0] != std::floor(values[0]) || values[1] != std::floor(values[1]) ||
        std::abs(values[0]) > 1e15 || std::abs(values[1]) > 1e15)
      throw wrong("a frame or track that is no whole number");
    if (truth && values.size() > 6 && values[6] == 0) continue;
    const auto frame = static_cast<std::int64_t>(values[0]),
               track = static_cast<std::int64_t>(values[1]);
    if (!seen.emplace(frame, track).second)
      throw wrong(fmt::format("track {} twice in frame {}", track, frame));
    frames[frame].push_back(
        {track, {values[2], values[3], values[2] + values[4], values[3] + values[5]}});
  }
  return frames;
}

}  // namespace yolov7::evaluation
