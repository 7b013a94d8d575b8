#include "tests/dataset/doctor/seeded_faults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/file.hpp"
#include "core/text.hpp"
#include "dataset/doctor/read_subject.hpp"
#include "dataset/index/label.hpp"
#include "dataset/index/pictures.hpp"
#include "image/codec/codec.hpp"
#include "tests/scratch_folder.hpp"

namespace yolov7::test {
namespace fs = std::filesystem;
namespace doctor = dataset::doctor;
namespace {

std::string row_text(const std::vector<double>& row) {
  std::string out = fmt::format("{}", row[0]);
  for (std::size_t i = 1; i < row.size(); ++i) out += fmt::format(" {:.9g}", row[i]);
  return out + "\n";
}

fs::path image_of(const fs::path& folder, const Item& item) {
  return folder / "images" / item.split / (item.stem + item.suffix);
}

fs::path label_of(const fs::path& folder, const Item& item) {
  return folder / "labels" / item.split / (item.stem + ".txt");
}

void write_item(const fs::path& folder, const Item& item) {
  const fs::path image = image_of(folder, item);
  fs::create_directories(image.parent_path());
  if (item.bytes.empty())
    fs::create_symlink(item.image, image);
  else
    write_text(image, item.bytes);
  std::string text = item.text;
  if (text.empty())
    for (const auto& row : item.rows) text += row_text(row);
  write_text(label_of(folder, item), text);
}

std::string description(const CleanSet& clean) {
  std::string names;
  for (const std::string& name : clean.classes) names += (names.empty() ? "" : ", ") + name;
  std::set<std::string> splits;
  for (const Item& item : clean.items) splits.insert(item.split);
  std::string out;
  for (const std::string& split : splits) out += fmt::format("{0}: images/{0}\n", split);
  return out + "names: [" + names + "]\n";
}

/// What a finding is about: the image's or label's split and stem.
std::string key_of(const fs::path& file) {
  return file.parent_path().filename().string() + "/" + file.stem().string();
}

/// A pair of equal label files is named whole: which of the two is the copy is a guess.
bool names_pair_with(const doctor::Finding& finding, const std::set<std::string>& faulty) {
  if (finding.check != "copied-label") return false;
  return std::any_of(faulty.begin(), faulty.end(), [&](const std::string& key) {
    return finding.text.find("labels/" + key + ".txt ") != std::string::npos;
  });
}

}  // namespace

CleanSet read_clean_set(const std::string& name, const fs::path& data_yaml) {
  const dataset::Description description = dataset::read_description(data_yaml);
  CleanSet set{name, description.names, {}, {}};
  for (const char* split : {"train", "val", "test"}) {
    if (description.split(split).empty()) continue;
    for (const fs::path& image : dataset::collect_pictures(description.split(split))) {
      Item item;
      item.split = split;
      item.stem = image.stem().string();
      item.suffix = image.extension().string();
      item.image = fs::canonical(image);
      const PictureHeader header = read_picture_header(file::read(image), image.string());
      item.width = header.width;
      item.height = header.height;
      const fs::path label = dataset::label_path(image);
      for (const auto& one : dataset::parse_labels(file::read(label), label, 0).labels)
        item.rows.push_back(
            {static_cast<double>(one.class_index), one.box.cx, one.box.cy, one.box.w, one.box.h});
      set.items.push_back(std::move(item));
    }
  }
  return set;
}

Planted plant(const CleanSet& clean, const FaultKind& kind, double rate, std::uint64_t seed,
              const fs::path& folder) {
  Planted planted;
  CleanSet set = clean;
  for (std::size_t i = 0; i < clean.items.size(); ++i)
    set.chosen.push_back(
        (kind.whole_set || Random(seed, 0, static_cast<std::uint32_t>(i), 0).chance(rate)) &&
        clean.items[i].rows.size() >= (kind.whole_set ? 1 : kind.least_rows));
  for (std::size_t i = 0; i < clean.items.size(); ++i) {
    Item item = clean.items[i];
    Random random(seed, 0, static_cast<std::uint32_t>(i), 1);
    if (set.chosen[i]) {
      kind.plant(item, set, random);
      planted.items.push_back(i);
      planted.changed.push_back(item);
    }
    write_item(folder, item);
  }
  write_text(folder / "data.yaml", description(clean));
  planted.data = folder / "data.yaml";
  return planted;
}

Score& Score::operator+=(const Score& other) {
  planted += other.planted, found += other.found, cause_right += other.cause_right;
  clean += other.clean, false_alarms += other.false_alarms;
  examples.insert(examples.end(), other.examples.begin(), other.examples.end());
  return *this;
}

double Score::recall() const {
  return planted == 0 ? 1 : static_cast<double>(found) / static_cast<double>(planted);
}
double Score::causes() const {
  return found == 0 ? 1 : static_cast<double>(cause_right) / static_cast<double>(found);
}
double Score::per_thousand() const {
  return clean == 0 ? 0 : 1000.0 * static_cast<double>(false_alarms) / static_cast<double>(clean);
}

doctor::NetworkRule usual_network() {
  doctor::NetworkRule rule;
  rule.name = "yolov7";
  rule.levels = {{8, {{12, 16}, {19, 36}, {40, 28}}},
                 {16, {{36, 75}, {76, 55}, {72, 146}}},
                 {32, {{142, 110}, {192, 243}, {459, 401}}}};
  rule.least_scale = 0.1;
  rule.most_scale = 2;
  return rule;
}

doctor::Diagnosis examine(const fs::path& data) {
  doctor::SubjectOptions options;
  options.sketches = false;  // near duplicates have a benchmark of their own
  doctor::Subject subject = doctor::read_subject(dataset::read_description(data), options);
  subject.network = usual_network();
  return doctor::diagnose(std::move(subject), {});
}

Score score_of(const CleanSet& clean, const FaultKind& kind, const Planted& planted,
               const doctor::Diagnosis& diagnosis) {
  std::map<std::string, const doctor::Finding*> hits;
  std::set<std::string> faulty;
  for (const std::size_t i : planted.items)
    faulty.insert(clean.items[i].split + "/" + clean.items[i].stem);
  Score score;
  score.planted = kind.check.empty() ? 0 : planted.items.size();
  score.clean = clean.items.size() - score.planted;
  for (const doctor::Finding& finding : diagnosis.findings) {
    const std::string key = key_of(finding.file);
    const bool loud = finding.severity != doctor::Severity::info;
    if (finding.check == kind.check) hits.emplace(key, &finding);
    if (names_pair_with(finding, faulty)) {
      for (const std::string& one : faulty)
        if (finding.text.find("labels/" + one + ".txt ") != std::string::npos)
          hits.emplace(one, &finding);
      continue;
    }
    const bool of_clean =
        finding.file != planted.data && (kind.check.empty() || !faulty.contains(key));
    if (loud && of_clean) {
      ++score.false_alarms;
      score.examples.push_back(
          fmt::format("false: {} {} {} {}", kind.name, finding.check, key, finding.text));
    }
  }
  for (std::size_t k = 0; k < score.planted; ++k) {
    const Item& item = planted.changed[k];
    const auto hit = hits.find(item.split + "/" + item.stem);
    if (hit == hits.end()) {
      score.examples.push_back(fmt::format("missed: {} {}/{}", kind.name, item.split, item.stem));
      continue;
    }
    ++score.found;
    if (hit->second->cause == kind.cause)
      ++score.cause_right;
    else
      score.examples.push_back(fmt::format("cause: {} {}/{} said '{}': {}", kind.name, item.split,
                                           item.stem, hit->second->cause, hit->second->text));
  }
  return score;
}

}  // namespace yolov7::test
