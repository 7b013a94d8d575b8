#include "image/codec/truncated.hpp"

#include <fmt/format.h>

#include <mutex>

#include "core/setting_name.hpp"
#include "core/text.hpp"

namespace yolov7 {
namespace {

std::mutex mutex;
TruncatedRule current;

}  // namespace

std::vector<Setting> truncated_settings(TruncatedRule& rule, const std::string& title) {
  return group(title,
               {setting("truncated", rule.kind,
                        "JPEG files that lack their end: keep uses them where enough rows decode, "
                        "and names them; drop leaves them out by name",
                        {"keep", "drop"}),
                setting("truncated-share", rule.share,
                        "share of the rows that must decode; the others are filled with gray")
                    .range(0, 1)});
}

TruncatedRule set_truncated_rule(const TruncatedRule& rule) {
  const std::lock_guard lock(mutex);
  const TruncatedRule before = current;
  current = rule;
  return before;
}

TruncatedRule truncated_rule() {
  const std::lock_guard lock(mutex);
  return current;
}

bool enough_rows(const DecodedRows& rows, double least_rows) {
  return rows.whole() || rows.decoded + 1e-9 >= least_rows * rows.expected;
}

std::string describe_missing(const DecodedRows& rows, double least_rows) {
  const std::string found = fmt::format(
      "truncated or corrupt JPEG: the end of the file is missing: {} of {} rows are "
      "decoded, ",
      rows.decoded, rows.expected);
  if (least_rows > 1)
    return found + fmt::format("and {} drop uses no such file", setting_name("truncated"));
  return found + fmt::format("expected at least {} %", text::general(least_rows * 100));
}

}  // namespace yolov7
