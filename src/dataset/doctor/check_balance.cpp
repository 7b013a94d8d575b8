// Balance of classes and splits (data-services D1).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/text.hpp"
#include "dataset/doctor/checks.hpp"

namespace yolov7::dataset::doctor {
namespace {

constexpr double most_imbalance = 100, least_expected = 5, most_chi = 6;

using Counts = std::vector<std::size_t>;

/// Boxes of each class by the rows themselves, so that a class of rows with another fault is not
/// called absent.
Counts class_counts(const Context& context, const Split& split) {
  Counts counts(context.subject.description.names.size());
  for (const Picture& picture : split.pictures)
    for (const RawRow& row : picture.rows) {
      const double number = row.class_number - (context.causes.one_based ? 1 : 0);
      if (row.readable() && number >= 0 && number < static_cast<double>(counts.size()))
        ++counts[static_cast<std::size_t>(number)];
    }
  return counts;
}

void look_at_absence(const Context& context, const std::vector<Counts>& counts,
                     Findings& findings) {
  const Subject& subject = context.subject;
  for (std::size_t c = 0; c < subject.description.names.size(); ++c) {
    std::size_t all = 0;
    for (const Counts& split : counts) all += split[c];
    const std::string& name = subject.description.names[c];
    if (all == 0) {
      findings.add("absent-class", "", subject.description.file,
                   fmt::format("class {} '{}' has no box in any split", c, name));
      continue;
    }
    for (std::size_t s = 0; s < counts.size(); ++s) {
      if (counts[s][c] > 0) continue;
      const bool train = subject.splits[s].name == "train";
      findings.add(
          train ? "untrained-class" : "class-not-in-split", subject.splits[s].name,
          subject.description.file,
          fmt::format("class {} '{}' has {} boxes in other splits and none here", c, name, all));
    }
  }
}

void look_at_balance(const Context& context, const Counts& train, Findings& findings) {
  const auto most = std::max_element(train.begin(), train.end());
  if (most == train.end()) return;
  for (std::size_t c = 0; c < train.size(); ++c)
    if (train[c] > 0 && static_cast<double>(*most) > most_imbalance * static_cast<double>(train[c]))
      findings.add(
          "rare-class", "train", context.subject.description.file,
          fmt::format(
              "class {} '{}' has {} boxes, '{}' has {}", c, context.subject.description.names[c],
              train[c],
              context.subject.description.names[static_cast<std::size_t>(most - train.begin())],
              *most));
}

/// Whether the classes of a split are those of train: chi-square over the classes, normalized.
void look_at_skew(const Context& context, const Split& split, const Counts& here,
                  const Counts& train, Findings& findings) {
  double all_here = 0, all_train = 0, chi = 0;
  for (const std::size_t count : here) all_here += static_cast<double>(count);
  for (const std::size_t count : train) all_train += static_cast<double>(count);
  if (all_here == 0 || all_train == 0) return;
  int free = 0;
  std::string worst;
  double worst_term = 0;
  for (std::size_t c = 0; c < here.size(); ++c) {
    const double share = static_cast<double>(train[c]) / all_train, expected = share * all_here;
    if (expected < least_expected) continue;
    const double found = static_cast<double>(here[c]),
                 term = (found - expected) * (found - expected) / expected;
    chi += term, ++free;
    if (term > worst_term)
      worst_term = term,
      worst =
          fmt::format("'{}' is {:.1f} % of the boxes here and {:.1f} % in train",
                      context.subject.description.names[c], 100 * found / all_here, 100 * share);
  }
  // Boxes of one image are not independent, so the bound is far beyond what chance gives them.
  constexpr double boxes_an_image = 10;
  if (free > 1 && chi / free > most_chi * boxes_an_image)
    findings.add("split-skew", split.name, context.subject.description.file, worst);
}

void find_balance(const Context& context, Findings& findings) {
  if (context.subject.single_cls) return;
  std::vector<Counts> counts;
  for (const Split& split : context.subject.splits) counts.push_back(class_counts(context, split));
  look_at_absence(context, counts, findings);
  for (std::size_t s = 0; s < counts.size(); ++s)
    if (context.subject.splits[s].name == "train") {
      look_at_balance(context, counts[s], findings);
      for (std::size_t other = 0; other < counts.size(); ++other)
        if (other != s)
          look_at_skew(context, context.subject.splits[other], counts[other], counts[s], findings);
    }
}

}  // namespace

Family balance_family() {
  return {
      "Balance",
      {{"absent-class", "a class of data.yaml without any box"},
       {"untrained-class", "a class that is validated or tested and not trained", Severity::error},
       {"class-not-in-split", "a class that a split cannot measure"},
       {"rare-class", "a class with less than a hundredth of the most frequent one's boxes",
        Severity::info},
       {"split-skew", "a split whose classes have other shares than in train", Severity::info}},
      find_balance};
}

}  // namespace yolov7::dataset::doctor
