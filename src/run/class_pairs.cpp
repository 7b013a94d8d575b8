#include "run/class_pairs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::run {
namespace {

constexpr std::size_t most_named = 20;

std::map<std::string, int> numbers_of(const std::vector<std::string>& names, const char* whose) {
  std::map<std::string, int> numbers;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (const auto [at, fresh] = numbers.emplace(names[i], static_cast<int>(i)); !fresh)
      throw Error(fmt::format(
          "classes are matched by name: expected each name once, found '{}' as {} and {} of the {}",
          text::printable(names[i]), at->second, i, whose));
  return numbers;
}

std::string quoted(const std::vector<std::string>& names) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < std::min(names.size(), most_named); ++i)
    parts.push_back("'" + text::printable(names[i]) + "'");
  const std::string rest =
      names.size() > most_named ? fmt::format(" and {} more", names.size() - most_named) : "";
  return text::join(parts, ", ") + rest;
}

}  // namespace

ClassPairs pair_classes(const std::vector<std::string>& student,
                        const std::vector<std::string>& teacher) {
  const std::map<std::string, int> own = numbers_of(student, "data"),
                                   theirs = numbers_of(teacher, "teacher");
  ClassPairs result;
  for (std::size_t i = 0; i < student.size(); ++i) {
    const auto found = theirs.find(student[i]);
    if (found == theirs.end())
      result.missing.push_back(student[i]);
    else
      result.pairs.emplace_back(static_cast<int>(i), found->second);
  }
  for (const std::string& name : teacher)
    if (own.count(name) == 0) result.unused.push_back(name);
  return result;
}

std::string describe(const ClassPairs& p) {
  std::string text = fmt::format("{} of {} classes are the teacher's", p.pairs.size(),
                                 p.pairs.size() + p.missing.size());
  if (!p.missing.empty())
    text += fmt::format("; it does not have {}: {}", p.missing.size(), quoted(p.missing));
  if (!p.unused.empty())
    text += fmt::format("; of its own, {} are not used: {}", p.unused.size(), quoted(p.unused));
  return text;
}

}  // namespace yolov7::run
