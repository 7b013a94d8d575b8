#include "core/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace yolov7::text {
namespace {

constexpr std::string_view blanks = " \t\r\n";

char lower_ascii(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Length of the valid UTF-8 sequence at the start of s, 0 if there is none.
std::size_t utf8_length(std::string_view s) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(s[i]); };
  const auto continuation = [&](std::size_t i) { return i < s.size() && (byte(i) & 0xC0) == 0x80; };
  if (byte(0) < 0x80) return 1;
  if (byte(0) >= 0xC2 && byte(0) <= 0xDF) return continuation(1) ? 2 : 0;
  if (byte(0) >= 0xE0 && byte(0) <= 0xEF) {
    if (!continuation(1) || !continuation(2)) return 0;
    if (byte(0) == 0xE0 && byte(1) < 0xA0) return 0;   // overlong
    if (byte(0) == 0xED && byte(1) >= 0xA0) return 0;  // surrogates
    return 3;
  }
  if (byte(0) >= 0xF0 && byte(0) <= 0xF4) {
    if (!continuation(1) || !continuation(2) || !continuation(3)) return 0;
    if (byte(0) == 0xF0 && byte(1) < 0x90) return 0;
    if (byte(0) == 0xF4 && byte(1) >= 0x90) return 0;
    return 4;
  }
  return 0;
}

bool is_control(std::string_view sequence) {
  const auto first = static_cast<unsigned char>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7F;
  return sequence.size() == 2 && first == 0xC2 &&
         static_cast<unsigned char>(sequence[1]) < 0xA0;  // C1
}

/// from_chars() takes no plus. One sign is enough: "+-5" is no number.
std::string_view without_plus(std::string_view s) {
  return s.starts_with('+') && !s.starts_with("+-") ? s.substr(1) : s;
}

/// Walks s by UTF-8 sequences; harmful bytes go out as \xNN, the rest through `keep`.
template <class Keep>
std::string escape_controls(std::string_view s, Keep keep) {
  std::string out;
  out.reserve(s.size());
  while (!s.empty()) {
    const std::size_t length = utf8_length(s);
    const std::string_view sequence = s.substr(0, std::max<std::size_t>(length, 1));
    if (length == 0 || is_control(sequence))
      for (const char c : sequence) out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    else
      keep(out, sequence);
    s.remove_prefix(sequence.size());
  }
  return out;
}

}  // namespace

std::string_view trim(std::string_view s) {
  const std::size_t first = s.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return s.substr(first, s.find_last_not_of(blanks) - first + 1);
}

std::vector<std::string_view> split(std::string_view s, char separator) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0;;) {
    const std::size_t end = s.find(separator, start);
    parts.push_back(s.substr(start, end == std::string_view::npos ? end : end - start));
    if (end == std::string_view::npos) return parts;
    start = end + 1;
  }
}

std::vector<std::string_view> split_blank(std::string_view s) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0;;) {
    start = s.find_first_not_of(" \t", start);
    if (start == std::string_view::npos) return parts;
    const std::size_t end = std::min(s.find_first_of(" \t", start), s.size());
    parts.push_back(s.substr(start, end - start));
    start = end;
  }
}

std::vector<std::string_view> lines(std::string_view s) {
  if (s.substr(0, 3) == "\xEF\xBB\xBF") s.remove_prefix(3);
  std::vector<std::string_view> result;
  while (!s.empty()) {
    const std::size_t end = std::min(s.find('\n'), s.size());
    std::string_view line = s.substr(0, end);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    result.push_back(line);
    s.remove_prefix(std::min(end + 1, s.size()));
  }
  return result;
}

std::string lower(std::string_view s) {
  std::string out(s);
  std::transform(out.begin(), out.end(), out.begin(), lower_ascii);
  return out;
}

bool starts_with_ignoring_case(std::string_view s, std::string_view prefix) {
  return s.size() >= prefix.size() && lower(s.substr(0, prefix.size())) == lower(prefix);
}

bool contains(const std::vector<std::string>& list, std::string_view s) {
  return std::find(list.begin(), list.end(), s) != list.end();
}

std::optional<double> parse_double(std::string_view s) {
  s = without_plus(s);
  double value = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (end != s.data() + s.size() || s.empty()) return std::nullopt;
  if (error != std::errc{}) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_int(std::string_view s) {
  s = without_plus(s);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (end != s.data() + s.size() || s.empty() || error != std::errc{}) return std::nullopt;
  return value;
}

bool is_utf8(std::string_view s) {
  while (!s.empty()) {
    const std::size_t length = utf8_length(s);
    if (length == 0) return false;
    s.remove_prefix(length);
  }
  return true;
}

std::string printable(std::string_view s) {
  return escape_controls(s, [](std::string& out, std::string_view sequence) { out += sequence; });
}

std::string html(std::string_view s) {
  return escape_controls(s, [](std::string& out, std::string_view sequence) {
    switch (sequence[0]) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      case '`': out += "&#96;"; break;
      default: out += sequence;
    }
  });
}

std::string csv(std::string_view s) {
  const std::string escaped = printable(s);
  if (escaped.find_first_of(",\"") == std::string::npos) return escaped;
  std::string out = "\"";
  for (const char c : escaped) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

std::string shell_word(std::string_view s) {
  const std::string word = printable(s);
  // Bytes beyond ASCII are letters to a shell.
  const auto plain = [](char c) {
    return static_cast<unsigned char>(c) >= 0x80 || (c >= '0' && c <= '9') ||
           (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("_@%+=:,./-").find(c) != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string file_name(std::string_view s) {
  std::string out;
  bool leading = true;
  while (!s.empty()) {
    const std::size_t length = utf8_length(s);
    const std::string_view sequence = s.substr(0, std::max<std::size_t>(length, 1));
    const bool bad = length == 0 || is_control(sequence) ||
                     (length == 1 && std::string_view("/\\:*?\"<>|").find(sequence[0]) !=
                                         std::string_view::npos) ||
                     (leading && sequence[0] == '.');
    if (bad)
      out += '_';
    else
      out += sequence;
    leading = leading && sequence[0] == '.';
    s.remove_prefix(sequence.size());
  }
  return out.empty() ? "_" : out;
}

namespace {

/// Insertions, deletions, substitutions and exchanges of neighbours (optimal string alignment).
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i)
    for (std::size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] = std::min(
          {d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view name,
                                   const std::vector<std::string>& candidates) {
  const std::string* best = nullptr;
  std::size_t best_distance = std::max<std::size_t>(1, name.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(lower(name), lower(candidate));
    if (distance < best_distance) {
      best_distance = distance;
      best = &candidate;
    }
  }
  if (best == nullptr) return std::nullopt;
  return *best;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  const auto found = nearest(name, candidates);
  return found ? fmt::format(", did you mean '{}'?", *found) : "";
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  return fmt::format("{}", fmt::join(parts, separator));
}

std::string general(double value, int digits) {
  // fmt's "g" follows C's %g and does not look at the locale.
  return fmt::format("{:.{}g}", value, digits);
}

}  // namespace yolov7::text
