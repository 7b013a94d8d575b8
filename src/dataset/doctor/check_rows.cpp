// Rows of label files: unreadable, of another layout, out of range, without area, twice, of no
// known class (data-services D1, data 4).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/text.hpp"
#include "dataset/doctor/checks.hpp"
#include "dataset/doctor/corrected_row.hpp"

namespace yolov7::dataset::doctor {
namespace {

// Training compares as float32 (data 4): up to 1 + 2⁻²⁴ a value is 1 there. A box reaches out of
// its image where it does so by 2 %.
constexpr double most_value = 1 + 0x1p-24, reach = 0.02;

Finding& about(Findings& findings, std::string_view check, const Split& split,
               const Picture& picture, int line, std::string text) {
  Finding& finding = findings.add(check, split.name, picture.label, std::move(text));
  finding.line = line;
  finding.image = picture.file;
  return finding;
}

void look_at_reading(const Split& split, const Picture& picture, Findings& findings) {
  if (!picture.label_fault.empty()) {
    about(findings, "unreadable-label", split, picture, 0, picture.label_fault)
        .changes.push_back({Change::Kind::drop_image, 0, {}});
    return;
  }
  for (const RawRow& row : picture.rows) {
    if (row.readable()) continue;
    Finding& finding = about(findings, "unreadable-row", split, picture, row.line, row.unreadable);
    finding.cause = row.cause;
    finding.changes.push_back({Change::Kind::drop_image, 0, {}});
  }
}

std::string numbers_text(const RawRow& row, int digits = 6) {
  std::vector<std::string> parts;
  for (const double value : row.values) parts.push_back(text::general(value, digits));
  return text::join(parts, " ");
}

void replace_row(Finding& finding, int line, const CorrectedRow& row) {
  finding.changes.push_back({Change::Kind::replace_row, line, row.text, row.loses_key_points});
}

/// One finding for all rows of a file that have one cause.
void look_at_layout(const Context& context, const Split& split, const Picture& picture,
                    Findings& findings) {
  const auto found = context.causes.files.find(&picture);
  if (found == context.causes.files.end() || !found->second.named) return;
  const FileVerdict& verdict = found->second;
  const RawRow& first = picture.rows[verdict.affected.front()];
  Finding& finding = about(
      findings, "other-layout", split, picture, first.line,
      fmt::format(
          "{} of {} rows are not centre, width and height as fractions, the first is '{}': {}",
          verdict.affected.size(), picture.rows.size(), numbers_text(first), verdict.evidence));
  finding.cause = cause_of(verdict.layout);
  std::size_t lost = 0;
  for (const std::size_t i : verdict.affected) {
    finding.lines.push_back(picture.rows[i].line);
    const auto row = corrected_row(context.causes, picture, i);
    if (!row) continue;
    replace_row(finding, picture.rows[i].line, *row);
    lost += row->loses_key_points ? 1 : 0;
  }
  if (lost > 0)
    finding.text += fmt::format(
        "; --fix leaves out the key points of {} rows, whose layout is not known", lost);
}

std::string class_text(double number) { return text::general(number, 6); }

void look_at_class(const Context& context, const Split& split, const Picture& picture,
                   Findings& findings) {
  const int classes = context.subject.description.class_count;
  const auto readable_minimum = [&] {
    double least = classes;
    for (const RawRow& row : picture.rows)
      if (row.readable()) least = std::min(least, row.class_number);
    return least;
  };
  std::vector<std::size_t> unknown;
  bool only_the_next = true;
  for (std::size_t i = 0; i < picture.rows.size(); ++i) {
    const double number = picture.rows[i].class_number;
    if (!picture.rows[i].readable() ||
        (number >= 0 && (context.subject.single_cls || number < classes) &&
         number == std::floor(number)))
      continue;
    unknown.push_back(i);
    only_the_next = only_the_next && number == classes;
  }
  if (unknown.empty()) return;
  const RawRow& first = picture.rows[unknown.front()];
  Finding& finding = about(findings, "unknown-class", split, picture, first.line,
                           fmt::format("class {}, where data.yaml has 0..{}",
                                       class_text(first.class_number), classes - 1));
  for (const std::size_t i : unknown) finding.lines.push_back(picture.rows[i].line);
  if (context.causes.one_based || (only_the_next && readable_minimum() >= 1)) {
    finding.cause = "classes counted from 1";
    if (context.causes.one_based) finding.text += ": " + context.causes.class_evidence;
  } else if (first.class_number != std::floor(first.class_number)) {
    finding.cause = "class is no whole number";
  } else if (first.class_number > 0) {
    finding.cause = "class list too short";
  }
  if (!context.causes.one_based) finding.changes.push_back({Change::Kind::drop_image, 0, {}});
}

/// Counted from 1 in the whole set: every file has its rows changed.
void correct_classes(const Context& context, const Split& split, const Picture& picture,
                     Findings& findings) {
  if (!context.causes.one_based || picture.rows.empty()) return;
  Finding& finding = about(findings, "classes-from-1", split, picture, picture.rows.front().line,
                           context.causes.class_evidence);
  finding.cause = "classes counted from 1";
  for (std::size_t i = 0; i < picture.rows.size(); ++i) {
    finding.lines.push_back(picture.rows[i].line);
    if (const auto row = corrected_row(context.causes, picture, i))
      replace_row(finding, picture.rows[i].line, *row);
  }
}

bool has_area(const CxcywhNormalized& box) { return box.w != 0 && box.h != 0; }

void look_at_values(const Context& context, const Split& split, const Picture& picture,
                    Findings& findings) {
  for (std::size_t i = 0; i < picture.rows.size(); ++i) {
    const RawRow& row = picture.rows[i];
    const auto box = extent(row);
    if (!box) continue;
    if (!has_area(*box)) {
      about(findings, "no-area", split, picture, row.line,
            fmt::format("width or height is 0: {}", numbers_text(row)))
          .changes.push_back({Change::Kind::drop_row, row.line, {}});
      continue;
    }
    const FileVerdict* verdict = verdict_on(context.causes, picture, i);
    if (verdict != nullptr && verdict->named) continue;
    const bool refused = std::any_of(row.values.begin(), row.values.end(),
                                     [](double value) { return value < 0 || value > most_value; });
    const double out = std::max({-(box->cx - box->w / 2), box->cx + box->w / 2 - 1,
                                 -(box->cy - box->h / 2), box->cy + box->h / 2 - 1});
    if (!refused && out <= reach) continue;
    Finding& finding =
        about(findings, refused ? "out-of-range" : "outside-image", split, picture, row.line,
              refused ? fmt::format("expected values in 0..1, found '{}'", numbers_text(row, 9))
                      : fmt::format("reaches {:.1f} % of the image's side out of it", 100 * out));
    if (const auto corrected = corrected_row(context.causes, picture, i))
      replace_row(finding, row.line, *corrected);
    else
      finding.changes.push_back({Change::Kind::drop_image, 0, {}});
  }
}

void find_rows(const Context& context, Findings& findings) {
  std::size_t boxes = 0, polygons = 0;
  std::set<std::filesystem::path> orphans;  // splits may share a folder of labels
  for (const Split& split : context.subject.splits) {
    std::size_t missing = 0;
    for (const Picture& picture : split.pictures) {
      missing += picture.has_label ? 0 : 1;
      for (const RawRow& row : picture.rows)
        if (row.readable()) ++(row.is_box() ? boxes : polygons);
      if (!picture.usable()) continue;
      look_at_reading(split, picture, findings);
      look_at_layout(context, split, picture, findings);
      look_at_class(context, split, picture, findings);
      correct_classes(context, split, picture, findings);
      look_at_values(context, split, picture, findings);
    }
    if (missing > 0)
      findings.add("missing-label", split.name, context.subject.description.file,
                   fmt::format("{} of {} images have no label file and count as background",
                               missing, split.pictures.size()));
    for (const auto& orphan : split.orphans)
      if (orphans.insert(orphan).second)
        findings.add("orphan-label", split.name, orphan, "label file without an image")
            .changes.push_back({Change::Kind::drop_label_file, 0, {}});
  }
  if (boxes > 0 && polygons > 0)
    findings.add("mixed-rows", "", context.subject.description.file,
                 fmt::format("{} rows are boxes and {} are polygons, whose extents are used", boxes,
                             polygons));
}

}  // namespace

Family row_family() {
  return {
      "Label rows",
      {{"unreadable-label", "a label file that cannot be read", Severity::error, true},
       {"unreadable-row", "a row that is no box and no polygon, with the cause where it is known",
        Severity::error, true},
       {"other-layout",
        "numbers in another layout: pixels, per cent, corners, top left corner, exchanged axes "
        "or sides, size first",
        Severity::error, true},
       {"classes-from-1", "the whole set counts its classes from 1", Severity::error, true},
       {"unknown-class", "a class that data.yaml does not have", Severity::error, true},
       {"out-of-range", "values outside 0..1: training leaves the image out", Severity::error,
        true},
       {"outside-image", "a box that reaches out of its image by 2 % or more", Severity::warning,
        true},
       {"no-area", "a box without width or height", Severity::warning, true},
       {"missing-label", "images without a label file", Severity::info},
       {"orphan-label", "label files without an image", Severity::warning, true},
       {"mixed-rows", "boxes and polygons in one set", Severity::info}},
      find_rows};
}

}  // namespace yolov7::dataset::doctor
