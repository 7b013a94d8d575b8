// Boxes against each other and against their image: twice, of two classes, as large as the image;
// label files that are copies (data-services D1).
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "core/text.hpp"
#include "dataset/doctor/checks.hpp"
#include "dataset/similarity/likeness.hpp"

namespace yolov7::dataset::doctor {
namespace {

constexpr double same_box = 0.95, whole_image = 0.95;

struct Box {
  const RawRow* row;
  Xyxy pixels;
};

/// The rows that training would take as boxes, with at least a pixel of area.
std::vector<Box> boxes_of(const Picture& picture) {
  std::vector<Box> boxes;
  for (const RawRow& row : picture.rows) {
    const auto box = extent(row);
    if (!box || box->w <= 0 || box->h <= 0) continue;
    boxes.push_back({&row, to_pixels(*box, picture.facts.width, picture.facts.height)});
  }
  std::sort(boxes.begin(), boxes.end(),
            [](const Box& a, const Box& b) { return a.pixels.x1 < b.pixels.x1; });
  return boxes;
}

/// What a pair of rows is. Rows of two classes are not equal, even where all classes count as one.
std::string_view check_of(const RawRow& a, const RawRow& b, bool single_cls) {
  if (a.class_number != b.class_number) return single_cls ? "box-twice" : "two-classes";
  return a.values == b.values ? "equal-rows" : "box-twice";
}

void tell_pair(std::string_view check, const Split& split, const Picture& picture, const RawRow& a,
               const RawRow& b, double overlap, Findings& findings) {
  const RawRow &first = a.line < b.line ? a : b, &second = a.line < b.line ? b : a;
  const bool equal = check == "equal-rows", same_class = check != "two-classes";
  Finding& finding = findings.add(
      check, split.name, picture.label,
      equal ? fmt::format("the same row as line {}", first.line)
            : fmt::format("covers the box of line {} (IoU {:.3f}){}", first.line, overlap,
                          same_class ? std::string()
                                     : fmt::format(", which has class {} where this has {}",
                                                   text::general(first.class_number),
                                                   text::general(second.class_number))));
  finding.line = second.line;
  finding.image = picture.file;
  if (same_class) finding.changes.push_back({Change::Kind::drop_row, second.line, {}});
}

void look_at_pairs(const Split& split, const Picture& picture, bool single_cls,
                   Findings& findings) {
  const std::vector<Box> boxes = boxes_of(picture);
  std::set<std::pair<std::string_view, int>> told;  // each line once for a check
  for (std::size_t i = 0; i < boxes.size(); ++i)
    for (std::size_t j = i + 1; j < boxes.size(); ++j) {
      const Xyxy &a = boxes[i].pixels, &b = boxes[j].pixels;
      if (b.x1 > a.x2) break;
      const double overlap = iou(a, b);
      if (overlap <= same_box) continue;
      const RawRow &one = *boxes[i].row, &other = *boxes[j].row;
      const std::string_view check = check_of(one, other, single_cls);
      if (told.emplace(check, std::max(one.line, other.line)).second)
        tell_pair(check, split, picture, one, other, overlap, findings);
    }
}

void look_at_extent(const Split& split, const Picture& picture, Findings& findings) {
  for (const RawRow& row : picture.rows) {
    const auto box = extent(row);
    if (!box || box->w < whole_image || box->h < whole_image || box->w > 1.1 || box->h > 1.1)
      continue;
    Finding& finding = findings.add(
        "whole-image", split.name, picture.label,
        fmt::format("covers {:.0f} x {:.0f} % of the image", 100 * box->w, 100 * box->h));
    finding.line = row.line;
    finding.image = picture.file;
  }
}

/// Label files of two boxes or more that are equal although their images do not show the same.
void look_for_copies(const Subject& subject, Findings& findings) {
  struct Use {
    const Split* split;
    const Picture* picture;
  };
  std::map<std::string, std::vector<Use>> uses;
  for (const Split& split : subject.splits)
    for (const Picture& picture : split.pictures)
      if (picture.usable() && picture.rows.size() >= 2)
        uses[picture.label_hash].push_back({&split, &picture});
  for (auto& [hash, list] : uses) {
    // Where the boxes stand out most is where they were drawn.
    std::stable_sort(list.begin(), list.end(), [](const Use& a, const Use& b) {
      return a.picture->look.contrast[0] > b.picture->look.contrast[0];
    });
    for (std::size_t i = 1; i < list.size(); ++i) {
      const Picture &one = *list[i].picture, &first = *list.front().picture;
      if (one.facts.content_hash == first.facts.content_hash ||
          similarity::compare(one.sketch, first.sketch).near)
        continue;
      Finding& finding = findings.add(
          "copied-label", list[i].split->name, list[i].picture->label,
          fmt::format("equal to {} with its {} rows, but the images differ, and there the boxes "
                      "stand out more",
                      list.front().picture->label.string(), list[i].picture->rows.size()));
      finding.image = list[i].picture->file;
    }
  }
}

void find_boxes(const Context& context, Findings& findings) {
  for (const Split& split : context.subject.splits)
    for (const Picture& picture : split.pictures) {
      if (!picture.usable() || context.causes.files.contains(&picture)) continue;
      look_at_pairs(split, picture, context.subject.single_cls, findings);
      look_at_extent(split, picture, findings);
    }
  look_for_copies(context.subject, findings);
}

}  // namespace

Family box_family() {
  return {"Boxes",
          {{"equal-rows", "a row that stands twice in its file", Severity::warning, true},
           {"box-twice", "two boxes of one class with an IoU above 0.95", Severity::warning, true},
           {"two-classes", "two boxes of different classes with an IoU above 0.95"},
           {"whole-image", "a box as large as its image", Severity::info},
           {"copied-label", "a label file equal to that of another image"}},
          find_boxes};
}

}  // namespace yolov7::dataset::doctor
