#pragma once
// Text: strict number parsing that does not depend on the locale, escaping for terminals and HTML,
// nearest names.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace yolov7::text {

/// The text without leading and trailing blanks, tabs, CR and LF.
std::string_view trim(std::string_view s);
/// Pieces between single separators; empty pieces are kept.
std::vector<std::string_view> split(std::string_view s, char separator);
/// Pieces between runs of blanks and tabs; no empty pieces.
std::vector<std::string_view> split_blank(std::string_view s);
/// Lines without their LF or CRLF; a UTF-8 byte order mark at the start is dropped.
std::vector<std::string_view> lines(std::string_view s);
std::string lower(std::string_view s);  ///< ASCII only
bool starts_with_ignoring_case(std::string_view s, std::string_view prefix);

bool contains(const std::vector<std::string>& list, std::string_view s);  ///< as one of its texts

/// The whole text as a number, or nothing. "1,5" is nothing; "nan" and "inf" parse (callers check
/// finiteness).
std::optional<double> parse_double(std::string_view s);
std::optional<std::int64_t> parse_int(std::string_view s);

/// Well-formed UTF-8, control characters included.
bool is_utf8(std::string_view s);
/// C0 and C1 control characters, DEL and invalid UTF-8 as \xNN, so that printing is harmless. Line
/// feeds too.
std::string printable(std::string_view s);
/// & < > " ' ` as entities, and control characters as in printable().
std::string html(std::string_view s);
/// A cell of a CSV file: control characters as in printable(), in quotes where it has to be.
std::string csv(std::string_view s);
/// A word of a command line for a POSIX shell, in single quotes where it has to be; control
/// characters as in printable().
std::string shell_word(std::string_view s);
/// A file name part: control characters, / \ : * ? " < > | and leading dots become underscores.
std::string file_name(std::string_view s);

/// The candidate with the smallest edit distance if that is at most a third of the length (at least
/// 1), else nothing.
std::optional<std::string> nearest(std::string_view name,
                                   const std::vector<std::string>& candidates);
/// ", did you mean 'x'?" or "".
std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
/// %g with the given number of significant digits, "." as decimal sign in every locale.
std::string general(double value, int digits = 6);

}  // namespace yolov7::text
