#include "dataset/augment/transforms/catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>

#include "core/error.hpp"
#include "core/text.hpp"
#include "dataset/augment/transforms/auto_augment.hpp"
#include "dataset/augment/transforms/colour.hpp"
#include "dataset/augment/transforms/combinators.hpp"
#include "dataset/augment/transforms/erasing.hpp"
#include "dataset/augment/transforms/filters.hpp"
#include "dataset/augment/transforms/geometry.hpp"
#include "dataset/augment/transforms/mixing.hpp"
#include "dataset/augment/transforms/noise.hpp"
#include "dataset/augment/transforms/weather.hpp"

namespace yolov7::dataset {
namespace {

std::string_view box_code(BoxRule rule) {
  switch (rule) {
    case BoxRule::none: return "N";
    case BoxRule::exact: return "X";
    case BoxRule::affine: return "A";
    case BoxRule::crop: return "C";
    case BoxRule::warp: return "W";
    case BoxRule::covers: return "D";
    case BoxRule::mixes: return "M";
    case BoxRule::parts: break;
  }
  return "as its parts";
}

/// Every range has one or two values in ascending order. A parameter that has more by default is a
/// list of any length.
void check_ranges(const Settings& table, const Settings& defaults, const std::string& where) {
  const auto length = [](const Setting& s) {
    const auto* values = std::get_if<std::vector<double>*>(&s.target);
    return values != nullptr ? (*values)->size() : 0;
  };
  const auto check = [&](const Setting& s, const auto& values) {
    if (length(defaults.resolve(s.name)) > 2) return;
    if (values.empty() || values.size() > 2 || values.front() > values.back())
      throw Error(fmt::format("{}: {}: expected one value, or two in ascending order, found {}",
                              where, s.name, s.text()));
  };
  for (const Setting& s : table.entries) {
    if (const auto* values = std::get_if<std::vector<double>*>(&s.target)) check(s, **values);
    if (const auto* whole = std::get_if<std::vector<int>*>(&s.target)) check(s, **whole);
  }
}

/// What no range can say (one parameter against another) shows on the first picture: a tiny one
/// here, so that no training begins with it.
void try_out(const Transform& transform, const std::string& where) {
  Sample sample{cv::Mat(8, 8, CV_8UC3, cv::Scalar::all(0)), {}};
  Random random(0, 0, 0, 0);
  try {
    transform.apply(sample, random, {});
  } catch (const Error& error) {
    throw Error(fmt::format("{}: {}", where, error.what()));
  }
}

/// Of a table in Markdown.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string range_text(const Setting& s) {
  if (!s.allowed.empty()) return text::join(s.allowed, ", ");
  if (s.is_switch()) return "true, false";
  return std::isfinite(s.low) ? fmt::format("{} … {}", text::general(s.low), text::general(s.high))
                              : "";
}

}  // namespace

const std::vector<TransformEntry>& catalogue() {
  static const std::vector<TransformEntry> all = [] {
    std::vector<TransformEntry> joined;
    for (auto* group :
         {&colour_transforms, &filter_transforms, &noise_transforms, &weather_transforms,
          &geometry_transforms, &erasing_transforms, &mixing_transforms, &policy_transforms})
      for (TransformEntry& one : group()) joined.push_back(std::move(one));
    for (TransformEntry& one : combinators(joined)) joined.push_back(std::move(one));
    return joined;
  }();
  return all;
}

const TransformEntry& find_transform(std::string_view name, const std::string& where) {
  const std::string wanted = text::lower(name);
  if (wanted == "normalize")
    throw Error(
        fmt::format("{}: Normalize is no transform here: images stay 8-bit, and the network "
                    "divides by 255, which is what YOLOv7 weights expect",
                    where));
  std::vector<std::string> names;
  for (const TransformEntry& one : catalogue()) {
    if (text::lower(one.name) == wanted) return one;
    for (const std::string_view alias : one.aliases)
      if (text::lower(alias) == wanted) return one;
    names.emplace_back(one.name);
  }
  throw Error(
      fmt::format("{}: expected the name of a transform, found '{}'{}; `yolov7 dataset augment "
                  "--list` shows all {}",
                  where, name, text::did_you_mean(std::string(name), names), names.size()));
}

AugmentStep parse_step(const Value& element) {
  if (!element.is_mapping())
    throw Error(
        fmt::format("{}: expected a transform as {{name: …, parameter: …}}", element.where()));
  AugmentStep step;
  step.entry = &find_transform(element.at("name").text(), element.where());
  step.transform = step.entry->make();
  step.stage = step.entry->stage;
  Settings table = settings(step.options);
  table.title = std::string(step.entry->name);
  Settings parameters = step.transform->settings();
  table.entries.insert(table.entries.end(), parameters.entries.begin(), parameters.entries.end());
  Value flat = element;
  // Nested lists are the combinator's own business.
  std::erase_if(flat.mapping, [&](const auto& pair) { return pair.first == "transforms"; });
  assign(table, flat);
  const auto untouched = step.entry->make();
  check_ranges(parameters, untouched->settings(),
               fmt::format("{}: {}", element.where(), step.entry->name));
  try_out(*step.transform, element.where());
  const Value* nested = element.find("transforms");
  if (auto* combinator = dynamic_cast<Combinator*>(step.transform.get())) {
    if (nested == nullptr || !nested->is_sequence() || nested->sequence.empty())
      throw Error(fmt::format("{}: {}: expected a list of transforms under 'transforms'",
                              element.where(), step.entry->name));
    step.stage = Stage::erasing;
    for (const Value& part : nested->sequence) {
      AugmentStep inner = parse_step(part);
      step.stage = std::min(step.stage, inner.stage);  // where its earliest part belongs
      combinator->add(std::move(inner));
    }
  } else if (nested != nullptr) {
    throw Error(fmt::format("{}: {} has no list of transforms", nested->where(), step.entry->name));
  }
  if (step.options.when == "picture") step.stage = Stage::picture;
  return step;
}

AugmentList AugmentList::parse(const Value& list) {
  if (list.is_null() || (list.is_scalar() && list.scalar.empty())) return {};
  // In a command line the list is one text.
  const Value parsed = list.is_scalar() ? parse_yaml(list.scalar, list.where()) : list;
  if (!parsed.is_sequence())
    throw Error(fmt::format(
        "{}: expected a list of transforms such as [{{name: HorizontalFlip}}], "
        "found {}",
        list.where(), parsed.is_scalar() ? "'" + text::printable(parsed.scalar) + "'" : "no list"));
  AugmentList result;
  for (const Value& element : parsed.sequence) result.steps_.push_back(parse_step(element));
  return result;
}

bool AugmentList::has(Stage stage) const {
  return std::any_of(steps_.begin(), steps_.end(),
                     [&](const AugmentStep& step) { return step.stage == stage; });
}

void AugmentList::run(Stage stage, Sample& sample, const std::function<Random(std::size_t)>& stream,
                      const TransformContext& context) const {
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (steps_[i].stage != stage) continue;
    Random random = stream(i);
    steps_[i].run(sample, random, context);
  }
}

std::string reference_page() {
  std::string page;
  for (const TransformEntry& one : catalogue()) {
    page += fmt::format("### {}\n\n{}. Boxes: {}; p {}.\n", one.name, one.help, box_code(one.boxes),
                        text::general(one.probability));
    const auto transform = one.make();
    const Settings table = transform->settings();
    if (!table.entries.empty()) page += "\n| Parameter | Default | Range | |\n|---|---|---|---|\n";
    for (const Setting& s : table.entries)
      page += fmt::format("| `{}` | {} | {} | {} |\n", s.name, cell(s.text()), cell(range_text(s)),
                          cell(s.help));
    page += '\n';
  }
  return page;
}

}  // namespace yolov7::dataset
