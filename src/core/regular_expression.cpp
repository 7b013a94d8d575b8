#include "core/regular_expression.hpp"

#include <regex>

namespace yolov7 {
namespace {

std::string words_of(std::regex_constants::error_type code) {
  namespace rc = std::regex_constants;
  // The library has one code for whatever stands where it expected the end.
  if (code == rc::error_paren)
    return "a ( or ) without its other one, or a *, + or ? with nothing before it";
  if (code == rc::error_brack) return "a [ without its ]";
  if (code == rc::error_brace) return "a { without its }";
  if (code == rc::error_badbrace) return "something else than one number, or two, in { }";
  if (code == rc::error_range) return "a range in [ ] that ends before it begins";
  if (code == rc::error_escape) return "a backslash before what it does not go with";
  if (code == rc::error_backref) return "the number of a bracket that is not there";
  if (code == rc::error_ctype || code == rc::error_collate)
    return "a name in [: :] or [. .] that is not known";
  if (code == rc::error_badrepeat) return "a *, + or ? with nothing before it";
  return "more than can be worked out";
}

}  // namespace

std::string regular_expression_fault(const std::string& expression) {
  try {
    const std::regex compiled(expression, std::regex::ECMAScript);
    return "";
  } catch (const std::regex_error& error) {
    return words_of(error.code());
  }
}

}  // namespace yolov7
