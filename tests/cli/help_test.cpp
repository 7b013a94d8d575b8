// --help of every verb, and the reference pages, which come from the same tables.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include "tests/cli/program.hpp"

namespace yolov7::test {
namespace {

constexpr std::string_view last_group = "Accepted for compatibility:";

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// The names of the options that have a line.
std::vector<std::string> options_of(const std::string& help) {
  std::vector<std::string> names;
  for (const std::string& line : lines_of(help))
    if (line.starts_with("  --")) names.push_back(line.substr(4, line.find_first_of(" \n", 4) - 4));
  return names;
}

std::vector<std::string> titles_of(const std::string& help) {
  std::vector<std::string> titles;
  const std::vector<std::string> lines = lines_of(help);
  for (std::size_t i = 1; i < lines.size(); ++i)
    if (lines[i - 1].empty() && lines[i].ends_with(':')) titles.push_back(lines[i]);
  return titles;
}

std::vector<std::string> words_of(const std::string& verb) {
  std::istringstream in(verb);
  std::vector<std::string> words;
  for (std::string word; in >> word;) words.push_back(word);
  return words;
}

Outcome help_of(const std::string& verb, const std::vector<std::string>& page = {}) {
  std::vector<std::string> arguments = words_of(verb);
  arguments.push_back("--help");
  arguments.insert(arguments.end(), page.begin(), page.end());
  return run(arguments);
}

/// The verbs that the index of the reference pages names, parts of `dataset` among them.
std::vector<std::string> all_verbs() {
  const std::string begin = "| [yolov7 ";
  std::vector<std::string> verbs;
  for (const std::string& line : lines_of(run({"--help", "markdown"}).out))
    if (line.starts_with(begin))
      verbs.push_back(line.substr(begin.size(), line.find(']') - begin.size()));
  return verbs;
}

TEST(Help, TheIndexNamesEveryVerb) {
  const std::vector<std::string> verbs = all_verbs();
  for (const std::string& line : lines_of(run({"--help"}).out)) {
    if (!line.starts_with("  ")) continue;
    const std::string name = line.substr(2, line.find_first_of(" ,", 2) - 2);
    if (name == "dataset" || name == "active") continue;  // their parts have pages
    EXPECT_TRUE(std::find(verbs.begin(), verbs.end(), name) != verbs.end()) << name;
  }
  for (const char* part : {"convert", "check", "stats", "browse", "augment", "synth"})
    EXPECT_TRUE(std::find(verbs.begin(), verbs.end(), std::string("dataset ") + part) !=
                verbs.end())
        << part;
  EXPECT_TRUE(std::find(verbs.begin(), verbs.end(), "active select") != verbs.end());
}

// A dozen, and the program's own four where everything is shown.
TEST(Help, EachVerbShowsADozenOptionsFirst) {
  for (const std::string& verb : all_verbs()) {
    const Outcome first = help_of(verb), all = help_of(verb, {"all"});
    EXPECT_EQ(first.code, 0) << verb << first.err;
    EXPECT_EQ(all.code, 0) << verb << all.err;
    const std::vector<std::string> shown = options_of(first.out), every = options_of(all.out);
    EXPECT_GE(shown.size(), 2u) << verb;
    EXPECT_LE(shown.size(), 16u) << verb;
    for (const std::string& name : shown)
      EXPECT_EQ(std::count(every.begin(), every.end(), name), 1) << verb << " " << name;
    EXPECT_EQ(std::set<std::string>(every.begin(), every.end()).size(), every.size()) << verb;
    const std::string further = "further options: yolov7 " + verb + " --help all\n";
    EXPECT_EQ(first.out.ends_with(further), every.size() > shown.size()) << verb << first.out;
    EXPECT_TRUE(every.size() == shown.size() || shown.size() <= 14) << verb;
    EXPECT_TRUE(has(first.out, "Usage: yolov7 " + verb + " ")) << verb;
    EXPECT_EQ(titles_of(first.out), std::vector<std::string>{"Examples:"}) << first.out;
  }
}

/// Words as a shell has them, as far as the examples need it: single quotes, and nothing behind a
/// pipe.
std::vector<std::string> shell_words(const std::string& line) {
  std::vector<std::string> words{""};
  bool quoted = false;
  for (const char c : line) {
    if (c == '|' && !quoted) break;
    if (c == '\'')
      quoted = !quoted;
    else if (c == ' ' && !quoted)
      words.emplace_back();
    else
      words.back() += c;
  }
  std::erase(words, "");
  return words;
}

// --help is answered after the options were read: unknown and ambiguous names, and values for
// switches, are errors before.
TEST(Help, EveryExampleIsACallOfItsVerb) {
  for (const std::string& verb : all_verbs()) {
    const std::string help = help_of(verb).out;
    int calls = 0;
    for (const std::string& line : lines_of(help.substr(help.find("\nExamples:\n")))) {
      if (line.starts_with("  ")) {
        EXPECT_TRUE(has(line, "yolov7 " + verb)) << line;
      }
      if (!line.starts_with("  yolov7 ")) continue;
      ++calls;
      std::vector<std::string> words = shell_words(line);
      words.erase(words.begin());
      words.emplace_back("--help");
      const Outcome outcome = run(words);
      EXPECT_EQ(outcome.code, 0) << line << outcome.err;
      EXPECT_EQ(outcome.out, help) << line;
    }
    EXPECT_GE(calls, 1) << verb;
  }
}

// Those of the tutorials of the original's documentation.
TEST(Help, TheOptionsOfTheTutorialsStandFirst) {
  const std::map<std::string, std::vector<std::string>> wanted = {
      {"train",
       {"weights", "cfg", "data", "hyp", "epochs", "batch-size", "img-size", "device", "workers",
        "name", "project", "resume"}},
      {"val",
       {"weights", "data", "img-size", "batch-size", "conf-thres", "iou-thres", "device", "name",
        "project", "task"}},
      {"detect",
       {"weights", "source", "img-size", "conf-thres", "iou-thres", "device", "name", "project",
        "view-img", "save-txt", "nosave", "classes"}}};
  for (const auto& [verb, names] : wanted) {
    const std::vector<std::string> shown = options_of(help_of(verb).out);
    for (const std::string& name : names)
      EXPECT_TRUE(std::find(shown.begin(), shown.end(), name) != shown.end())
          << verb << " " << name;
  }
}

TEST(Help, AllShowsGroupsInTheOrderOfTheTable) {
  const std::vector<std::string> titles = titles_of(help_of("train", {"all"}).out);
  ASSERT_GE(titles.size(), 4u);
  EXPECT_EQ(titles.front(), "Network and data:");
  EXPECT_EQ(titles[1], "Training:");
  EXPECT_EQ(titles[titles.size() - 2], "Program:");
  EXPECT_EQ(std::set<std::string>(titles.begin(), titles.end()).size(), titles.size());
}

TEST(Help, WhatIsRefusedOrIgnoredStandsLast) {
  const std::map<std::string, std::vector<std::string>> expected = {
      {"train", {"bucket", "entity", "upload_dataset", "bbox_interval", "artifact_alias"}},
      {"val", {"no-trace", "half"}},
      {"detect", {"no-trace", "update", "half", "nms-time-limit"}}};
  for (const std::string& verb : all_verbs()) {
    const std::string help = help_of(verb, {"all"}).out;
    const std::size_t at = help.find(last_group);
    const auto found = expected.find(verb);
    ASSERT_EQ(at != std::string::npos, found != expected.end()) << verb;
    if (found == expected.end()) continue;
    EXPECT_EQ(titles_of(help).back(), last_group) << verb;
    EXPECT_EQ(options_of(help.substr(at)), found->second) << verb;
  }
}

// Characters, not bytes: "×" is one.
TEST(Help, LinesFitIntoAHundredColumns) {
  for (const std::string& verb : all_verbs())
    for (const std::string& line : lines_of(help_of(verb, {"all"}).out))
      EXPECT_LE(std::count_if(line.begin(), line.end(), [](char c) { return (c & 0xC0) != 0x80; }),
                100)
          << verb << ": " << line;
}

TEST(Help, AnotherPageIsAWrongCall) {
  const Outcome outcome = help_of("train", {"everything"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(line_count(outcome.err), 1u) << outcome.err;
  EXPECT_TRUE(has(outcome.err, "expected nothing behind it, all or markdown, found 'everything'"))
      << outcome.err;
  EXPECT_EQ(outcome.out, "");
}

TEST(Help, MarkdownHasOneRowForEachOption) {
  for (const std::string& verb : all_verbs()) {
    const std::string page = help_of(verb, {"markdown"}).out;
    EXPECT_TRUE(page.starts_with("# yolov7 " + verb + "\n")) << page;
    for (const std::string& name : options_of(help_of(verb, {"all"}).out)) {
      const auto rows = lines_of(page);
      EXPECT_EQ(std::count_if(rows.begin(), rows.end(),
                              [&](const std::string& row) {
                                const std::string mark = "`--" + name + "`";
                                return row.starts_with("| " + mark) ||
                                       row.starts_with("| **" + mark);
                              }),
                1)
          << verb << " " << name;
    }
    for (const std::string& row : lines_of(page)) {
      if (!row.starts_with("|")) continue;
      std::size_t cells = 0;  // bars that no backslash stands before
      for (std::size_t i = 0; i < row.size(); ++i)
        cells += row[i] == '|' && (i == 0 || row[i - 1] != '\\');
      EXPECT_EQ(cells, 5u) << row;
    }
  }
  // By hand, from the table of val: bold for a basic option, the bounds, the default.
  EXPECT_TRUE(has(help_of("val", {"markdown"}).out,
                  "| **`--conf-thres`** | `N`, 0 … 1 | `0.001` | confidence threshold |\n"));
}

}  // namespace
}  // namespace yolov7::test
