#include "dataset/doctor/label_errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <tuple>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/text.hpp"

namespace yolov7::dataset::doctor {
namespace fs = std::filesystem;
namespace {

// From this overlap on a prediction and a label mean the same object; below the other one they have
// nothing to do with each other.
constexpr double same_object = 0.5, apart = 0.1;

struct Given {
  int line = 0, class_index = 0;
  Xyxy box;
};

std::vector<Given> given_of(const Picture& picture, bool single_cls) {
  std::vector<Given> labels;
  for (const RawRow& row : picture.rows)
    if (const auto box = extent(row); box && box->w > 0 && box->h > 0)
      labels.push_back({row.line, single_cls ? 0 : row.class_index(),
                        to_pixels(*box, picture.facts.width, picture.facts.height)});
  return labels;
}

/// "7" and "007" are one number; other texts are themselves.
std::string id_text(const std::string& text) {
  const bool digits = !text.empty() && std::all_of(text.begin(), text.end(),
                                                   [](char c) { return c >= '0' && c <= '9'; });
  if (!digits) return text;
  const auto first = text.find_first_not_of('0');
  return first == std::string::npos ? "0" : text.substr(first);
}

std::unordered_map<std::string, std::vector<const Picture*>> by_id(const Subject& subject) {
  std::unordered_map<std::string, std::vector<const Picture*>> pictures;
  for (const Split& split : subject.splits)
    for (const Picture& picture : split.pictures)
      pictures[id_text(picture.file.stem().string())].push_back(&picture);
  return pictures;
}

[[noreturn]] void refuse(const fs::path& file, std::size_t place, const std::string& why) {
  throw Error(fmt::format("{}: result {}: {}", file.string(), place, why));
}

/// `ids`: the category_id of each class; empty = its number.
int class_of(double category, const std::vector<std::int64_t>& ids, int classes,
             const fs::path& file, std::size_t place) {
  if (ids.empty()) {
    if (category < 0 || category >= classes || category != std::floor(category))
      refuse(file, place,
             fmt::format("expected a category_id in 0..{}, found {}", classes - 1,
                         text::general(category)));
    return static_cast<int>(category);
  }
  const auto found = std::find_if(
      ids.begin(), ids.end(), [&](std::int64_t id) { return static_cast<double>(id) == category; });
  if (found == ids.end())
    refuse(file, place,
           fmt::format("expected one of COCO's category_ids, found {}", text::general(category)));
  return static_cast<int>(found - ids.begin());
}

/// By its name, which detect writes beside the class number; else by its id.
int class_of(const nlohmann::json& one, double category, const std::vector<std::int64_t>& ids,
             const std::vector<std::string>& names, int classes, const fs::path& file,
             std::size_t place) {
  if (const auto name = one.find("category_name"); name != one.end() && name->is_string()) {
    const auto known = std::find(names.begin(), names.end(), name->get<std::string>());
    if (known == names.end())
      refuse(
          file, place,
          fmt::format("the data set has no class '{}'", text::printable(name->get<std::string>())));
    if (std::find(known + 1, names.end(), *known) == names.end())
      return static_cast<int>(known - names.begin());
  }
  return class_of(category, ids, classes, file, place);
}

Detection detection_of(const nlohmann::json& one, const fs::path& file, std::size_t place,
                       const std::vector<std::int64_t>& ids, const std::vector<std::string>& names,
                       int classes) {
  const auto number = [&](const nlohmann::json& value, const char* what) {
    if (!value.is_number()) refuse(file, place, fmt::format("expected a number for {}", what));
    return value.get<double>();
  };
  if (!one.is_object() || !one.contains("bbox") || !one.contains("score") ||
      !one.contains("category_id") || !one.contains("image_id"))
    refuse(file, place, "expected image_id, category_id, bbox and score");
  const auto& box = one["bbox"];
  if (!box.is_array() || box.size() != 4) refuse(file, place, "expected four numbers in bbox");
  const double x = number(box[0], "bbox"), y = number(box[1], "bbox"), w = number(box[2], "bbox"),
               h = number(box[3], "bbox"), category = number(one["category_id"], "category_id"),
               score = number(one["score"], "score");
  if (w < 0 || h < 0) refuse(file, place, "expected a width and height of 0 or more in bbox");
  if (score < 0 || score > 1)
    refuse(file, place, fmt::format("expected a score in 0..1, found {}", text::general(score)));
  return {{x, y, x + w, y + h},
          static_cast<float>(score),
          class_of(one, category, ids, names, classes, file, place)};
}

double overlap(const Xyxy& a, const Xyxy& b) {
  const double value = iou(a, b);
  return value > 0 ? value : 0;  // 0/0 is no overlap
}

/// What the predictions say about one label.
struct Support {
  double own = 0, other = 0;  ///< most IoU · p of its class, of other classes
  double place = 0;           ///< IoU with the best prediction of its class
  const Detection *own_best = nullptr, *other_best = nullptr;
};

Support support_of(const Given& label, const std::vector<Detection>& predictions) {
  Support support;
  for (const Detection& p : predictions) {
    const double shared = overlap(label.box, p.box), value = shared * p.score;
    if (p.class_index == label.class_index) {
      if (value > support.own) support.own = value, support.own_best = &p, support.place = shared;
    } else if (shared >= same_object && value > support.other) {
      support.other = value, support.other_best = &p;
    }
  }
  return support;
}

/// Everything about one image.
class Judge {
 public:
  Judge(const Split& split, const Picture& picture, bool single_cls,
        const std::vector<Detection>& predictions, std::vector<Mistake>& out)
      : split_(split),
        picture_(picture),
        predictions_(predictions),
        labels_(given_of(picture, single_cls)),
        out_(out) {
    for (const Given& label : labels_) support_.push_back(support_of(label, predictions));
  }

  void plain() {
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      const bool other = support_[i].other > support_[i].own;
      add(other ? Mistake::Kind::wrong_class : Mistake::Kind::unsupported, labels_[i],
          other ? support_[i].other_best : support_[i].own_best, 1 - support_[i].own);
    }
    for (const Detection& p : predictions_) {
      double most = 0;
      for (const Given& label : labels_) most = std::max(most, overlap(label.box, p.box));
      add_missing(p, p.score * (1 - most));
    }
  }

  void joint() {
    match();
    for (std::size_t i = 0; i < labels_.size(); ++i) judge_label(i);
    judge_doubles();
    judge_predictions();
  }

 private:
  void add(Mistake::Kind kind, const Given& label, const Detection* p, double score) {
    out_.push_back({kind, split_.name, picture_.file, picture_.label, label.line, label.class_index,
                    p == nullptr ? -1 : p->class_index, label.box, p == nullptr ? Xyxy{} : p->box,
                    score});
  }
  void add_missing(const Detection& p, double score) {
    out_.push_back({Mistake::Kind::missing, split_.name, picture_.file, picture_.label, 0, -1,
                    p.class_index, p.box, p.box, score});
  }

  /// Pairs of a label and a prediction, best IoU · p first, whatever their classes.
  void match() {
    std::vector<std::tuple<double, std::size_t, std::size_t>> pairs;
    for (std::size_t i = 0; i < labels_.size(); ++i)
      for (std::size_t j = 0; j < predictions_.size(); ++j)
        if (const double shared = overlap(labels_[i].box, predictions_[j].box); shared > apart)
          pairs.emplace_back(shared * predictions_[j].score, i, j);
    std::stable_sort(pairs.begin(), pairs.end(),
                     [](const auto& a, const auto& b) { return std::get<0>(a) > std::get<0>(b); });
    label_match_.assign(labels_.size(), none);
    prediction_match_.assign(predictions_.size(), none);
    for (const auto& [value, i, j] : pairs)
      if (label_match_[i] == none && prediction_match_[j] == none)
        label_match_[i] = j, prediction_match_[j] = i;
  }

  void judge_label(std::size_t i) {
    const Support& support = support_[i];
    const Given& label = labels_[i];
    if (support.other_best != nullptr)
      add(Mistake::Kind::wrong_class, label, support.other_best, support.other * (1 - support.own));
    const std::size_t j = label_match_[i];
    const Detection* matched = j == none ? nullptr : &predictions_[j];
    const bool same_class = matched != nullptr && matched->class_index == label.class_index;
    if (same_class)
      add(Mistake::Kind::bad_place, label, matched,
          matched->score * (1 - overlap(label.box, matched->box)));
    if (support.other_best == nullptr)
      add(Mistake::Kind::unsupported, label, matched,
          1 - std::max(support.own, same_class ? matched->score * apart : 0));
  }

  /// Two labels of a class over each other where the predictions see one object.
  void judge_doubles() {
    for (std::size_t a = 0; a < labels_.size(); ++a)
      for (std::size_t b = a + 1; b < labels_.size(); ++b) {
        const double shared = overlap(labels_[a].box, labels_[b].box);
        if (labels_[a].class_index != labels_[b].class_index || shared < same_object) continue;
        const std::size_t worse = support_[a].own < support_[b].own ? a : b;
        const double seen = matched_score(a == worse ? b : a), second = matched_score(worse);
        add(Mistake::Kind::doubled, labels_[worse],
            label_match_[worse] == none ? nullptr : &predictions_[label_match_[worse]],
            shared * seen * (1 - second));
      }
  }

  double matched_score(std::size_t label) const {
    const std::size_t j = label_match_[label];
    if (j == none) return 0;
    return predictions_[j].score * overlap(labels_[label].box, predictions_[j].box);
  }

  /// Predictions that no label answers to, and that are no second box of an object.
  void judge_predictions() {
    for (std::size_t j = 0; j < predictions_.size(); ++j) {
      const Detection& p = predictions_[j];
      if (prediction_match_[j] != none) continue;
      double labelled = 0, better = 0;
      for (const Given& label : labels_) labelled = std::max(labelled, overlap(label.box, p.box));
      for (std::size_t k = 0; k < predictions_.size(); ++k)
        if (k != j &&
            (predictions_[k].score > p.score || (predictions_[k].score == p.score && k < j)))
          better = std::max(better, overlap(predictions_[k].box, p.box));
      if (better < same_object) add_missing(p, p.score * (1 - labelled) * (1 - better));
    }
  }

  static constexpr std::size_t none = static_cast<std::size_t>(-1);
  const Split& split_;
  const Picture& picture_;
  const std::vector<Detection>& predictions_;
  std::vector<Given> labels_;
  std::vector<Mistake>& out_;
  std::vector<Support> support_;
  std::vector<std::size_t> label_match_, prediction_match_;
};

}  // namespace

std::string_view name_of(Mistake::Kind kind) {
  switch (kind) {
    case Mistake::Kind::missing: return "missing label";
    case Mistake::Kind::wrong_class: return "wrong class";
    case Mistake::Kind::bad_place: return "badly placed";
    case Mistake::Kind::doubled: return "doubled";
    case Mistake::Kind::unsupported: return "no prediction supports it";
  }
  return "";
}

Predictions read_predictions(const fs::path& file, const Subject& subject,
                             const std::vector<std::int64_t>& category_ids) {
  const nlohmann::json document = read_json(file);
  if (!document.is_array())
    throw Error(
        fmt::format("{}: expected a list of results, as val --save-json writes it", file.string()));
  const auto pictures = by_id(subject);
  Predictions predictions;
  for (std::size_t i = 0; i < document.size(); ++i) {
    const nlohmann::json& one = document[i];
    Detection detection = detection_of(one, file, i + 1, category_ids, subject.description.names,
                                       subject.description.class_count);
    if (subject.single_cls) detection.class_index = 0;
    const nlohmann::json& id = one["image_id"];
    const std::string key = id_text(id.is_string() ? id.get<std::string>() : id.dump());
    const auto found = pictures.find(key);
    if (found == pictures.end())
      refuse(file, i + 1, fmt::format("the data set has no image '{}'", key));
    // One file may be in several splits.
    const fs::path& image = found->second.front()->file;
    for (const Picture* other : found->second)
      if (other->file != image)
        refuse(file, i + 1,
               fmt::format("image '{}' is {} as well as {}", key, image.string(),
                           other->file.string()));
    predictions[image.string()].push_back(detection);
  }
  return predictions;
}

std::vector<Mistake> find_mistakes(const Subject& subject, const Predictions& predictions,
                                   Ranking ranking, double least) {
  std::vector<Mistake> mistakes;
  for (const Split& split : subject.splits)
    for (const Picture& picture : split.pictures) {
      const auto found = predictions.find(picture.file.string());
      if (!picture.usable() || found == predictions.end()) continue;
      Judge judge(split, picture, subject.single_cls, found->second, mistakes);
      ranking == Ranking::joint ? judge.joint() : judge.plain();
    }
  std::erase_if(mistakes, [&](const Mistake& one) { return one.score < least; });
  std::stable_sort(mistakes.begin(), mistakes.end(),
                   [](const Mistake& a, const Mistake& b) { return a.score > b.score; });
  return mistakes;
}

nlohmann::json to_json(const Mistake& mistake, const std::vector<std::string>& names) {
  const auto name = [&](int c) {
    return c >= 0 && static_cast<std::size_t>(c) < names.size() ? names[static_cast<std::size_t>(c)]
                                                                : std::string();
  };
  const Xyxy& b = mistake.box;
  nlohmann::json result = {{"kind", name_of(mistake.kind)},
                           {"score", mistake.score},
                           {"split", mistake.split},
                           {"image", mistake.image.string()},
                           {"box", {b.x1, b.y1, b.x2, b.y2}},
                           {"given", name(mistake.given)},
                           {"suggested", name(mistake.suggested)}};
  if (mistake.line > 0) result["label"] = mistake.label.string(), result["line"] = mistake.line;
  return result;
}

}  // namespace yolov7::dataset::doctor
