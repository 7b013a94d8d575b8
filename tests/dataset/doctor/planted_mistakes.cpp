#include "tests/dataset/doctor/planted_mistakes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/random.hpp"

namespace yolov7::test {
namespace doctor = dataset::doctor;
using Kind = doctor::Mistake::Kind;
namespace {

Xyxy pixels_of(const doctor::Picture& picture, const doctor::RawRow& row) {
  return to_pixels({row.values[0], row.values[1], row.values[2], row.values[3]},
                   picture.facts.width, picture.facts.height);
}

/// Whether the row stays.
bool change(doctor::RawRow& row, std::vector<doctor::RawRow>& further, Kind kind, int classes,
            Random& random) {
  constexpr double moved = 0.4, doubled = 0.1;
  const auto sign = [&] { return random.chance(0.5) ? 1 : -1; };
  switch (kind) {
    case Kind::missing: return false;
    case Kind::wrong_class:
      row.class_number =
          (static_cast<int>(row.class_number) + static_cast<int>(random.integer(1, classes - 1))) %
          classes;
      return true;
    case Kind::bad_place:
      row.values[0] += sign() * moved * row.values[2];
      row.values[1] += sign() * moved * row.values[3];
      return true;
    default: break;
  }
  further.push_back(row);
  further.back().values[0] += sign() * doubled * row.values[2];
  return true;
}

}  // namespace

std::string mistake_key(const std::string& image, const Xyxy& box) {
  return fmt::format("{} {:.0f} {:.0f} {:.0f} {:.0f}", image, box.x1, box.y1, box.x2, box.y2);
}

PlantedMistakes plant_mistakes(const doctor::Subject& clean, const doctor::Predictions& predictions,
                               Kind kind, double share, std::uint64_t seed) {
  PlantedMistakes planted;
  planted.subject = clean;
  std::uint32_t number = 0;
  for (doctor::Split& split : planted.subject.splits)
    for (doctor::Picture& picture : split.pictures) {
      ++number;
      const std::string image = picture.file.string();
      if (!predictions.contains(image)) continue;
      std::vector<doctor::RawRow> rows;
      for (std::size_t i = 0; i < picture.rows.size(); ++i) {
        doctor::RawRow row = picture.rows[i];
        Random random(seed, 0, number, static_cast<std::uint32_t>(i));
        std::vector<doctor::RawRow> further;
        const Xyxy before = pixels_of(picture, row);
        if (!random.chance(share)) {
          rows.push_back(row);
          continue;
        }
        ++planted.count;
        const bool stays = change(row, further, kind, clean.description.class_count, random);
        if (stays) rows.push_back(row);
        rows.insert(rows.end(), further.begin(), further.end());
        planted.keys.insert(mistake_key(image, stays ? pixels_of(picture, row) : before));
        for (const auto& one : further)
          planted.keys.insert(mistake_key(image, pixels_of(picture, one)));
      }
      picture.rows = std::move(rows);
    }
  return planted;
}

double precision_at_n(const PlantedMistakes& planted, const std::vector<doctor::Mistake>& ranked,
                      Kind kind, doctor::Ranking ranking) {
  std::size_t looked = 0, right = 0;
  std::set<std::string> seen;
  for (const doctor::Mistake& one : ranked) {
    const bool counts = kind == Kind::missing               ? one.kind == Kind::missing
                        : ranking == doctor::Ranking::plain ? one.kind != Kind::missing
                                                            : one.kind == kind;
    if (!counts) continue;
    if (!seen.insert(mistake_key(one.image.string(), one.box)).second) continue;
    if (looked++ == planted.count) break;
    if (kind != Kind::missing) {
      right += planted.keys.contains(mistake_key(one.image.string(), one.box)) ? 1 : 0;
      continue;
    }
    const std::string prefix = one.image.string() + " ";
    for (auto at = planted.keys.lower_bound(prefix);
         at != planted.keys.end() && at->starts_with(prefix); ++at) {
      Xyxy box;
      if (std::sscanf(at->c_str() + prefix.size(), "%lf %lf %lf %lf", &box.x1, &box.y1, &box.x2,
                      &box.y2) == 4 &&
          iou(box, one.box) >= 0.5) {
        ++right;
        break;
      }
    }
  }
  return planted.count == 0 ? 1 : static_cast<double>(right) / static_cast<double>(planted.count);
}

}  // namespace yolov7::test
