#pragma once
// Text of strangers as UTF-8, by what it declares: a byte order mark (UTF-8, UTF-16, UTF-32) or the
// encoding of an XML declaration (XML 1.0, 4.3.3). Nothing is guessed.
#include <string>
#include <string_view>

namespace yolov7::text {

/// The text in UTF-8 without a byte order mark; an XML declaration says UTF-8 then, so that a
/// second call changes nothing. Names of encodings are those of iconv; as web browsers do, gb2312
/// and gbk are read as gb18030, and shift_jis as cp932. Errors name `source`: an encoding that this
/// machine does not know, bytes that are no text in it (with the line).
std::string as_utf8(std::string text, const std::string& source);
/// The same of the first bytes of a file, which may end within a character. What cannot be
/// converted stays as it is.
std::string head_as_utf8(std::string head);

}  // namespace yolov7::text
