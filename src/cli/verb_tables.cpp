#include "cli/verb_tables.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace yolov7::cli {
namespace {

using VisitList = std::function<void(const std::string&, const std::vector<Verb>&)>;

void each_list_of(const std::vector<Verb>& list, const std::string& title, const VisitList& visit) {
  visit(title, list);
  for (const Verb& verb : list)
    if (verb.parts != nullptr)
      each_list_of(verb.parts(), (title.empty() ? "" : title + " ") + std::string(verb.name),
                   visit);
}

using VisitVerb = std::function<void(const std::string&, const Verb&)>;

void each_verb_of(const std::vector<Verb>& list, const std::string& words, const VisitVerb& visit) {
  for (const Verb& verb : list) {
    const std::string title = words + std::string(verb.name);
    if (verb.parts != nullptr)
      each_verb_of(verb.parts(), title + " ", visit);
    else
      visit(title, verb);
  }
}

}  // namespace

void each_list(const VisitList& visit) { each_list_of(verbs(), "", visit); }

void each_verb(const VisitVerb& visit) { each_verb_of(verbs(), "", visit); }

void each_table(
    const std::function<void(const std::string&, const Verb&, const Settings&)>& visit) {
  each_verb([&](const std::string& title, const Verb& verb) {
    Output output;
    bool taken = false;
    output.take_table = [&](const Settings& table) {
      taken = true;
      visit(title, verb, table);
    };
    verb.run({"--help"}, output);
    if (!taken) throw Error(fmt::format("{}: expected a table of options, found none", title));
  });
}

std::string_view summary_of(const std::string& title) {
  std::string_view summary;
  each_verb([&](const std::string& words, const Verb& verb) {
    if (words == title) summary = verb.summary;
  });
  return summary;
}

}  // namespace yolov7::cli
