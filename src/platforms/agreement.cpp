#include "platforms/agreement.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/linear_assignment.hpp"

namespace yolov7::platforms {
namespace {

using dataset::AnnotatedObject;

/// Boxes of several opinions that are one object.
struct Group {
  Xyxy mean;
  std::vector<std::pair<std::size_t, const AnnotatedObject*>> members;  // opinion, box

  void add(std::size_t opinion, const AnnotatedObject& object) {
    members.emplace_back(opinion, &object);
    mean = {};
    const auto count = static_cast<double>(members.size());
    for (const auto& [who, box] : members) {
      mean.x1 += box->box.x1 / count;
      mean.y1 += box->box.y1 / count;
      mean.x2 += box->box.x2 / count;
      mean.y2 += box->box.y2 / count;
    }
  }
};

std::vector<Group> group_boxes(const std::vector<Opinion>& opinions, double least_iou) {
  std::vector<Group> groups;
  for (std::size_t who = 0; who < opinions.size(); ++who) {
    std::vector<AnnotatedObject> means(groups.size());
    for (std::size_t i = 0; i < groups.size(); ++i) {
      means[i].box = groups[i].mean;
      means[i].class_index = groups[i].members.front().second->class_index;
    }
    const std::vector<int> partner = pair_boxes(opinions[who].objects, means, least_iou);
    for (std::size_t i = 0; i < partner.size(); ++i) {
      if (partner[i] < 0) groups.emplace_back();
      Group& group = partner[i] < 0 ? groups.back() : groups[static_cast<std::size_t>(partner[i])];
      group.add(who, opinions[who].objects[i]);
    }
  }
  return groups;
}

/// The class of most members; `tie` where several have as many.
int class_of(const Group& group, bool& tie) {
  std::map<int, std::size_t> votes;
  for (const auto& [who, object] : group.members) ++votes[object->class_index];
  std::size_t most = 0;
  for (const auto& [name, count] : votes) most = std::max(most, count);
  tie = std::count_if(votes.begin(), votes.end(),
                      [&](const auto& one) { return one.second == most; }) > 1;
  int chosen = -1;
  for (const auto& [who, object] : group.members)  // in the order of the opinions
    if (votes[object->class_index] == most) chosen = object->class_index;
  return chosen;
}

std::string words_of(const Group& group, const std::vector<std::string>& names,
                     std::size_t opinions) {
  std::vector<std::string> classes;
  for (const auto& [who, object] : group.members) {
    const auto index = static_cast<std::size_t>(object->class_index);
    classes.push_back(object->class_index >= 0 && index < names.size() ? names[index] : "?");
  }
  return fmt::format("{} at {:.1f},{:.1f} to {:.1f},{:.1f}: drawn by {} of {}",
                     fmt::join(classes, "/"), group.mean.x1, group.mean.y1, group.mean.x2,
                     group.mean.y2, group.members.size(), opinions);
}

}  // namespace

std::vector<int> pair_boxes(const std::vector<AnnotatedObject>& one,
                            const std::vector<AnnotatedObject>& other, double least_iou) {
  const double limit = 1 - least_iou;
  constexpr double other_class = 1e-6, never = 2;
  std::vector<double> costs;
  costs.reserve(one.size() * other.size());
  for (const AnnotatedObject& a : one)
    for (const AnnotatedObject& b : other) {
      const double overlap = iou(a.box, b.box);
      costs.push_back(overlap >= least_iou
                          ? (1 - overlap) * (1 - other_class) +
                                (a.class_index == b.class_index ? 0 : other_class * limit)
                          : never);
    }
  return assign(costs, one.size(), other.size(), limit + other_class);
}

ImageAgreement agreement_of(const std::vector<Opinion>& opinions, double least_iou,
                            std::vector<AgreementCount>& per_class) {
  ImageAgreement result;
  const auto of_class = [&](const AnnotatedObject& object) -> AgreementCount& {
    return per_class.at(static_cast<std::size_t>(object.class_index));
  };
  for (std::size_t a = 0; a < opinions.size(); ++a)
    for (std::size_t b = a + 1; b < opinions.size(); ++b) {
      const auto &one = opinions[a].objects, &other = opinions[b].objects;
      const std::vector<int> partner = pair_boxes(one, other, least_iou);
      std::size_t pairs = 0;
      for (std::size_t i = 0; i < one.size(); ++i) {
        if (partner[i] < 0) continue;
        ++pairs;
        const AnnotatedObject& match = other[static_cast<std::size_t>(partner[i])];
        if (match.class_index != one[i].class_index) {
          ++result.disputed;
          continue;
        }
        for (AgreementCount* count : {&result.count, &of_class(match)}) {
          ++count->agreed;
          count->iou_sum += iou(one[i].box, match.box);
        }
      }
      result.alone += one.size() + other.size() - 2 * pairs;
      result.count.boxes += one.size() + other.size();
      for (const auto* side : {&one, &other})
        for (const AnnotatedObject& object : *side) ++of_class(object).boxes;
    }
  return result;
}

Merged merge_opinions(const std::vector<Opinion>& opinions, double least_iou,
                      const std::vector<std::string>& names) {
  Merged merged;
  for (const Group& group : group_boxes(opinions, least_iou)) {
    if (2 * group.members.size() <= opinions.size()) {
      merged.left_out.push_back(words_of(group, names, opinions.size()));
      continue;
    }
    const AnnotatedObject* nearest = group.members.front().second;
    for (const auto& [who, object] : group.members)
      if (iou(object->box, group.mean) > iou(nearest->box, group.mean)) nearest = object;
    AnnotatedObject object = *nearest;
    bool tie = false;
    object.class_index = class_of(group, tie);
    if (tie) merged.disputed.push_back(words_of(group, names, opinions.size()));
    // A shape goes with its own box.
    if (object.rings.empty() && !object.mask && !object.rotation) object.box = group.mean;
    std::vector<std::string> authors;
    for (const auto& [who, one] : group.members) authors.push_back(opinions[who].author);
    object.author = fmt::format("{}", fmt::join(authors, ","));
    merged.objects.push_back(std::move(object));
  }
  return merged;
}

}  // namespace yolov7::platforms
