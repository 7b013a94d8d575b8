#pragma once
// The one exception type of the project. Thrown where the value is known, with one line that says
// what was expected, what was found and where ("labels/000123.txt:7: class 12 is out of range
// 0..4"); caught once, in cli.
#include <exception>
#include <stdexcept>
#include <string>

namespace yolov7 {

/// Exit codes of the program; part of its interface, never renumber.
enum class ExitCode { done = 0, failure = 1, usage = 2, interrupted = 130 };

class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, ExitCode code = ExitCode::failure)
      : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// Of another library's message, which may carry a stack trace.
inline std::string first_line(const std::exception& error) {
  const std::string text = error.what();
  return text.substr(0, text.find('\n'));
}

/// A wrong call: unknown option, value out of range, options that exclude each other.
inline Error usage_error(const std::string& message) { return Error(message, ExitCode::usage); }

}  // namespace yolov7
