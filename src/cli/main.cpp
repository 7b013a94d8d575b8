// The program: chooses the verb, prints its result, maps errors to exit codes. The only place that
// catches.
#include <fmt/format.h>

#include <cstdio>
#include <new>
#include <nlohmann/json.hpp>
#include <opencv2/core/utility.hpp>

#include "api/video_library.hpp"
#include "cli/help.hpp"
#include "cli/terminal.hpp"
#include "cli/verb.hpp"
#include "core/interrupt.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "core/version.hpp"
#include "versions/store_data.hpp"

namespace yolov7::cli {
namespace {

std::string program_help() {
  std::string out = fmt::format(
      "yolov7 {}: the life-cycle of YOLOv7 detectors\n\nUsage: yolov7 <verb> [options]\n\nVerbs:\n",
      program_version());
  for (const Verb& verb : verbs()) {
    std::string names(verb.name);
    for (const auto alias : verb.aliases) names += fmt::format(", {}", alias);
    out += fmt::format("  {:<24}{}\n", names, verb.summary);
  }
  return out +
         "\n`yolov7 <verb> --help` lists a verb's most used options, `--help all` all of them.\n";
}

const Verb& find_verb(const std::string& name) {
  std::vector<std::string> names;
  for (const Verb& verb : verbs()) {
    if (verb.name == name) return verb;
    names.emplace_back(verb.name);
    for (const auto alias : verb.aliases) {
      if (alias == name) return verb;
      names.emplace_back(alias);
    }
  }
  throw usage_error(fmt::format("unknown verb '{}'{} Known: {}", name,
                                text::nearest(name, names) ? text::did_you_mean(name, names) : ".",
                                text::join(names, ", ")));
}

ExitCode run_verb(const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h" ||
      arguments[0] == "help") {
    const bool pages = arguments.size() > 1 && arguments[1] == "markdown";
    std::fputs((pages ? reference_index() : program_help()).c_str(), stdout);
    return arguments.empty() ? ExitCode::usage : ExitCode::done;
  }
  if (arguments[0] == "--version") {
    std::fputs(fmt::format("yolov7.cpp {}\n", program_version()).c_str(), stdout);
    return ExitCode::done;
  }
  const Verb& verb = find_verb(arguments[0]);
  Output output;
  const nlohmann::json result = verb.run({arguments.begin() + 1, arguments.end()}, output);
  if (output.json && !result.is_null()) std::fputs((json_text(result) + "\n").c_str(), stdout);
  return output.code;
}

ExitCode run(const std::vector<std::string>& arguments) {
  const ExitCode code = run_verb(arguments);
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
    throw Error("cannot write the result to stdout");
  return code;
}

ExitCode guarded(const std::vector<std::string>& arguments) {
  try {
    interrupt::install();
    return run(arguments);
  } catch (const Error& error) {
    log::error(error.what());
    return error.code();
  } catch (const std::bad_alloc&) {
    log::error("out of memory");
  } catch (const std::exception& error) {
    log::error(first_line(error));
  }
  return interrupt::requested() ? ExitCode::interrupted : ExitCode::failure;
}

}  // namespace

void Output::line(std::string_view text) const {
  if (json) return;
  std::string out;
  for (const auto part : text::split(text, '\n')) out += text::printable(part) + "\n";
  std::fputs(out.c_str(), stdout);
}

}  // namespace yolov7::cli

int main(int count, char** values) {
  yolov7::install_setting_spelling(yolov7::cli::flag);
  yolov7::log::install(yolov7::cli::terminal());
  yolov7::api::decode_further_images();
  yolov7::versions::read_data_from_stores(yolov7::interrupt::token());
  cv::setNumThreads(1);  // the loader and the back ends have threads of their own
  return static_cast<int>(yolov7::cli::guarded({values + 1, values + count}));
}
