#pragma once
// What every fuzz target demands of a reader: it takes the input, or refuses it with an Error of
// one line.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "core/error.hpp"

namespace yolov7::fuzz {

/// Any other exception ends the program, which the fuzzer reports with the input.
template <class Read>
void expect_one_line(Read read) {
  try {
    read();
  } catch (const Error& error) {
    const std::string said = error.what();
    if (!said.empty() && said.find('\n') == std::string::npos) return;
    std::fprintf(stderr, "expected a message of one line, found '%s'\n", said.c_str());
    std::abort();
  }
}

}  // namespace yolov7::fuzz
