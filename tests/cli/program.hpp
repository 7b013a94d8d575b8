#pragma once
// Runs the built program and keeps what it said.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "tests/scratch_folder.hpp"

namespace yolov7::test {

struct Outcome {
  int code = -1;  ///< exit code; 128 + signal if it was killed by one
  std::string out, err;
};

inline std::filesystem::path program_path() {
  return std::filesystem::path(YOLOV7_BINARY_DIR) / "bin" / "yolov7";
}

class Process {
 public:
  /// `environment`: further variables, "NAME=value". `through`: a command that runs the program,
  /// such as {"ip", "netns", "exec", "name"}.
  Process(const std::vector<std::string>& arguments, const std::filesystem::path& folder,
          const std::vector<std::string>& environment = {},
          const std::vector<std::string>& through = {})
      : folder_(folder) {
    static int number = 0;
    out_ = std::filesystem::temp_directory_path() /
           ("yolov7-out-" + std::to_string(::getpid()) + "-" + std::to_string(++number));
    err_ = out_.string() + ".err";
    child_ = ::fork();
    if (child_ == 0) {
      if (::chdir(folder.c_str()) != 0 || std::freopen(out_.c_str(), "w", stdout) == nullptr ||
          std::freopen(err_.c_str(), "w", stderr) == nullptr)
        ::_exit(99);
      ::setenv("XDG_CACHE_HOME", (folder / ".user-cache").c_str(),
               0);  // nothing of a test stays with the user
      for (const std::string& variable : environment) ::putenv(const_cast<char*>(variable.c_str()));
      std::vector<std::string> all = through;
      all.push_back(program_path().string());
      all.insert(all.end(), arguments.begin(), arguments.end());
      std::vector<char*> values;
      for (std::string& one : all) values.push_back(one.data());
      values.push_back(nullptr);
      ::execvp(values[0], values.data());
      ::_exit(98);
    }
  }
  void send(int signal) const { ::kill(child_, signal); }
  pid_t id() const { return child_; }
  std::string errors_so_far() const { return read_text(err_); }
  Outcome wait() {
    int status = 0;
    ::waitpid(child_, &status, 0);
    Outcome outcome{WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
                    read_text(out_), read_text(err_)};
    std::filesystem::remove(out_);
    std::filesystem::remove(err_);
    return outcome;
  }

 private:
  std::filesystem::path folder_, out_, err_;
  pid_t child_ = -1;
};

inline Outcome run(const std::vector<std::string>& arguments,
                   const std::filesystem::path& folder = std::filesystem::temp_directory_path(),
                   const std::vector<std::string>& environment = {}) {
  return Process(arguments, folder, environment).wait();
}

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline std::size_t line_count(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

}  // namespace yolov7::test
