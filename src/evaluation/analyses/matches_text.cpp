#include "evaluation/analyses/matches_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::evaluation {
namespace {

std::int64_t number(std::string_view word, std::int64_t most, const std::string& where) {
  const auto value = text::parse_int(word);
  if (!value || *value < 0 || *value > most)
    throw Error(fmt::format("{}: expected a whole number up to {}, found '{}'", where, most,
                            text::printable(word)));
  return *value;
}

void parse_line(const std::vector<std::string_view>& words, CocoMatches& matches,
                const std::string& where) {
  constexpr std::int64_t most_id = 1'000'000'000, all_ious = (1 << coco_ious) - 1;
  const auto most_picture = static_cast<std::int64_t>(matches.pictures) - 1;
  if (words.front() == "class" && words.size() >= 2) {
    CocoMatches::Category category;
    category.id = number(words[1], most_id, where);
    for (std::size_t i = 2; i < words.size(); ++i)
      category.objects.push_back(static_cast<std::uint32_t>(number(words[i], most_picture, where)));
    matches.categories.push_back(std::move(category));
    return;
  }
  if (words.size() != 3 || matches.categories.empty())
    throw Error(fmt::format("{}: expected a class, or three numbers of a detection, found {} words",
                            where, words.size()));
  CocoMatches::Detection one{};
  one.picture = static_cast<std::uint32_t>(number(words[0], most_picture, where));
  one.found = static_cast<std::uint16_t>(number(words[1], all_ious, where));
  one.ignored = static_cast<std::uint16_t>(number(words[2], all_ious, where));
  matches.categories.back().detections.push_back(one);
}

}  // namespace

std::string matches_text(const CocoMatches& matches) {
  std::string out = fmt::format("images {}\n", matches.pictures);
  for (const CocoMatches::Category& category : matches.categories) {
    out += fmt::format("class {}", category.id);
    for (const std::uint32_t picture : category.objects) out += fmt::format(" {}", picture);
    out += "\n";
    const auto last = std::find_if(category.detections.rbegin(), category.detections.rend(),
                                   [](const auto& one) { return one.found != 0; });
    for (auto one = category.detections.begin(); one != last.base(); ++one)
      out += fmt::format("{} {} {}\n", one->picture, one->found, one->ignored);
  }
  return out;
}

CocoMatches parse_matches(const std::string& text, const std::string& where) {
  CocoMatches matches;
  std::size_t number_of_line = 0;
  for (const std::string_view line : text::lines(text)) {
    const std::string place = fmt::format("{}:{}", where, ++number_of_line);
    const auto words = text::split_blank(line);
    if (words.empty()) continue;
    if (number_of_line > 1) {
      parse_line(words, matches, place);
    } else if (words.size() == 2 && words[0] == "images") {
      matches.pictures = static_cast<std::size_t>(number(words[1], 1'000'000'000, place));
    } else {
      throw Error(fmt::format("{}: expected 'images' and their number", place));
    }
  }
  return matches;
}

}  // namespace yolov7::evaluation
