#pragma once
// Faults put into a clean data set by a seed, and the list of what was put in (data-services D3).
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "dataset/doctor/doctor.hpp"

namespace yolov7::test {

/// An image of a set with its rows, as a fault changes them.
struct Item {
  std::string split, stem, suffix;
  std::filesystem::path image;  ///< of the clean set
  int width = 0, height = 0;
  std::vector<std::vector<double>> rows;  ///< class, cx, cy, w, h
  std::string text;                       ///< not empty: the label file instead of the rows
  std::string bytes;                      ///< not empty: the image file instead of a link
  std::vector<int> lines;                 ///< the faulty ones; empty = the whole file
};

struct CleanSet {
  std::string name;
  std::vector<std::string> classes;
  std::vector<Item> items;   ///< by split, then by name
  std::vector<bool> chosen;  ///< which of them have a fault, while faults are put in
};

/// Of a data set in the layout that `dataset convert` and `dataset synth` write.
CleanSet read_clean_set(const std::string& name, const std::filesystem::path& data_yaml);

struct FaultKind {
  std::string name;
  std::string check;           ///< that must find it; "" = nothing may
  std::string cause;           ///< that must be named; "" = none
  bool whole_set = false;      ///< every image has it
  std::size_t least_rows = 0;  ///< of an image that it is put into
  std::function<void(Item&, const CleanSet&, Random&)> plant;
  double least_share = 1;  ///< of a small set of drawn images that must be found
};

/// The mechanical ones of an image or its rows.
const std::vector<FaultKind>& fault_kinds();

struct Planted {
  std::filesystem::path data;      ///< data.yaml
  std::vector<std::size_t> items;  ///< places in CleanSet::items
  std::vector<Item> changed;       ///< those items as they are now
};

/// Writes the set with the fault in a share `rate` of its images. `folder` must not exist.
Planted plant(const CleanSet& clean, const FaultKind& kind, double rate, std::uint64_t seed,
              const std::filesystem::path& folder);

struct Score {
  std::size_t planted = 0, found = 0, cause_right = 0, clean = 0, false_alarms = 0;
  std::vector<std::string> examples;  ///< of what was missed or told wrongly
  Score& operator+=(const Score& other);
  double recall() const;
  double causes() const;        ///< share of the found ones
  double per_thousand() const;  ///< false alarms: errors and warnings about an image without fault
};

/// The anchors of yolov7 at 640 px.
dataset::doctor::NetworkRule usual_network();
dataset::doctor::Diagnosis examine(const std::filesystem::path& data);
Score score_of(const CleanSet& clean, const FaultKind& kind, const Planted& planted,
               const dataset::doctor::Diagnosis& diagnosis);

}  // namespace yolov7::test
