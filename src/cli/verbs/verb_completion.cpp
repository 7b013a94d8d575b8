// yolov7 completion bash | zsh | fish
#include <nlohmann/json.hpp>

#include "cli/completion.hpp"
#include "cli/verb.hpp"

namespace yolov7::cli {
namespace {

struct CompletionOptions {
  std::string shell;
};

Settings settings(CompletionOptions& o) {
  return Settings{"completion",
                  {setting("shell", o.shell, "whose script is printed")
                       .choices({"", "bash", "zsh", "fish"})
                       .positional()}};
}

std::string script(const std::string& shell) {
  if (shell == "bash") return bash_completion();
  if (shell == "zsh") return zsh_completion();
  if (shell == "fish") return fish_completion();
  throw usage_error("completion: expected bash, zsh or fish, found nothing");
}

}  // namespace

nlohmann::json run_completion(const std::vector<std::string>& arguments, Output& output) {
  CompletionOptions options;
  if (!parse_arguments(settings(options), arguments, output)) return {};
  std::string text = script(options.shell);
  const nlohmann::json result = {{"shell", options.shell}, {"script", text}};
  text.pop_back();  // line() ends the last line
  output.line(text);
  return result;
}

}  // namespace yolov7::cli
