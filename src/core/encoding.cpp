#include "core/encoding.hpp"

#include <fmt/format.h>
#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::text {
namespace {

using namespace std::string_view_literals;

struct Declared {
  std::string name;              ///< for iconv
  std::size_t skipped = 0;       ///< bytes of the mark
  std::size_t from = 0, to = 0;  ///< of the name in an XML declaration
};

/// UTF-32 before UTF-16, whose mark its own begins with.
std::optional<Declared> by_mark(std::string_view text) {
  struct Mark {
    std::string_view bytes;
    const char* name;
  };
  static constexpr std::array marks = {
      Mark{"\xFF\xFE\0\0"sv, "UTF-32LE"}, Mark{"\0\0\xFE\xFF"sv, "UTF-32BE"},
      Mark{"\xFF\xFE"sv, "UTF-16LE"},     Mark{"\xFE\xFF"sv, "UTF-16BE"},
      Mark{"<\0?\0x\0m\0"sv, "UTF-16LE"}, Mark{"\0<\0?\0x\0m"sv, "UTF-16BE"}};
  for (const Mark& mark : marks)
    if (text.starts_with(mark.bytes))
      return Declared{mark.name, mark.bytes.size() > 4 ? 0 : mark.bytes.size(), 0, 0};
  return std::nullopt;
}

/// Where the value of encoding="…" stands in an XML declaration at the start of the text.
std::optional<Declared> by_declaration(std::string_view text) {
  constexpr std::size_t longest = 400;
  std::size_t start = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  while (start < text.size() && start < longest && trim(text.substr(start, 1)).empty()) ++start;
  if (!text.substr(start).starts_with("<?xml")) return std::nullopt;
  const std::size_t end = text.substr(0, start + longest).find("?>", start);
  if (end == std::string_view::npos) return std::nullopt;
  std::size_t at = text.substr(0, end).find("encoding", start);
  if (at == std::string_view::npos) return std::nullopt;
  at = text.substr(0, end).find_first_of("\"'", at);
  if (at == std::string_view::npos) return std::nullopt;
  const std::size_t close = text.substr(0, end).find(text[at], at + 1);
  if (close == std::string_view::npos) return std::nullopt;
  return Declared{std::string(text.substr(at + 1, close - at - 1)), 0, at + 1, close};
}

/// Empty: the text is UTF-8 already. A declaration that can be read byte by byte and says UTF-16 is
/// wrong about itself.
std::string iconv_name(std::string_view declared) {
  const std::string name = lower(declared);
  for (const std::string_view same : {"utf-8"sv, "utf8"sv, "us-ascii"sv, "ascii"sv, "utf-16"sv,
                                      "utf-16le"sv, "utf-16be"sv, "utf16"sv, "unicode"sv, ""sv})
    if (name == same) return "";
  if (name == "gb2312" || name == "gbk" || name == "gb_2312-80" || name == "x-gbk")
    return "gb18030";
  if (name == "shift_jis" || name == "shift-jis" || name == "sjis" || name == "x-sjis" ||
      name == "windows-31j")
    return "cp932";
  if (name == "ks_c_5601-1987" || name == "euc-kr") return "cp949";
  if (name.starts_with("windows-")) return "cp" + name.substr(8);
  return name;
}

class Converter {
 public:
  explicit Converter(const std::string& from) : handle_(::iconv_open("UTF-8", from.c_str())) {}
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  ~Converter() {
    if (known()) ::iconv_close(handle_);
  }
  bool known() const { return handle_ != reinterpret_cast<iconv_t>(-1); }

  /// Appends to `out` and returns how many bytes were converted: all, or those before the first
  /// that are no text; `cut`: the text ends within a character.
  std::size_t convert(std::string_view bytes, std::string& out, bool& cut) {
    cut = false;
    std::array<char, 16'384> buffer;
    char* in = const_cast<char*>(bytes.data());
    std::size_t left = bytes.size();
    while (left > 0) {
      char* to = buffer.data();
      std::size_t room = buffer.size();
      const std::size_t result = ::iconv(handle_, &in, &left, &to, &room);
      const int error = errno;
      out.append(buffer.data(), buffer.size() - room);
      if (result != static_cast<std::size_t>(-1) || error == E2BIG) continue;
      cut = error == EINVAL;
      break;
    }
    return bytes.size() - left;
  }

 private:
  iconv_t handle_;
};

/// A name of another kind might be a path or an option of iconv.
bool is_name(std::string_view name) {
  return name.size() <= 40 && std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.' || c == ':';
         });
}

std::optional<Declared> declared_of(std::string& text) {
  if (auto mark = by_mark(text)) return mark;
  auto declared = by_declaration(text);
  if (!declared) return std::nullopt;
  const std::string name = iconv_name(declared->name);
  if (name.empty()) return std::nullopt;
  declared->name = is_name(name) ? name : declared->name;
  return declared;
}

void say_utf8(std::string& text) {
  if (const auto declared = by_declaration(text))
    text.replace(declared->from, declared->to - declared->from, "UTF-8");
}

}  // namespace

std::string as_utf8(std::string text, const std::string& source) {
  const auto declared = declared_of(text);
  if (!declared) {
    if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
    return text;
  }
  const std::string known_as = is_name(declared->name) ? declared->name : "";
  Converter converter(known_as.empty() ? "none" : known_as);
  if (known_as.empty() || !converter.known())
    throw Error(fmt::format(
        "{}:1: expected an encoding that this machine can read (UTF-8 is the safe one), found '{}'",
        source, printable(declared->name)));
  std::string out;
  bool cut = false;
  const std::string_view bytes = std::string_view(text).substr(declared->skipped);
  if (converter.convert(bytes, out, cut) < bytes.size())
    throw Error(fmt::format("{}:{}: expected text in {}, found bytes that are none{}", source,
                            1 + std::count(out.begin(), out.end(), '\n'), declared->name,
                            cut ? " (the file ends within a character)" : ""));
  say_utf8(out);
  return out;
}

std::string head_as_utf8(std::string head) {
  const auto declared = declared_of(head);
  if (!declared || !is_name(declared->name)) return head;
  Converter converter(declared->name);
  if (!converter.known()) return head;
  std::string out;
  bool cut = false;
  const std::string_view bytes = std::string_view(head).substr(declared->skipped);
  if (converter.convert(bytes, out, cut) < bytes.size() && !cut) return head;
  say_utf8(out);
  return out;
}

}  // namespace yolov7::text
