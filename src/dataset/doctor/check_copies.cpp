// Images that occur twice, in one split or in several: equal bytes, near duplicates, frames of one
// video (data-services D1, D2).
#include <fmt/format.h>

#include <map>
#include <set>

#include "dataset/doctor/checks.hpp"
#include "dataset/similarity/near_pairs.hpp"

namespace yolov7::dataset::doctor {
namespace {

struct Use {
  const Split* split;
  const Picture* picture;
};

void tell(const Use& kept, const Use& copy, Findings& findings) {
  const bool leak = kept.split != copy.split;
  Finding& finding =
      findings.add(leak ? "leaked-image" : "image-twice", copy.split->name, copy.picture->file,
                   fmt::format("{} {}{}",
                               kept.picture->file == copy.picture->file ? "the same file as"
                                                                        : "the same bytes as",
                               kept.picture->file.string(),
                               leak ? fmt::format(" in {}: results on {} are too good",
                                                  kept.split->name, kept.split->name)
                                    : std::string()));
  finding.image = copy.picture->file;
  finding.changes.push_back({Change::Kind::drop_image, 0, {}});
}

/// Test before val before train, so that of copies what is measured on stays as it is.
std::vector<Use> uses_of(const Subject& subject) {
  std::vector<Use> uses;
  for (auto split = subject.splits.rbegin(); split != subject.splits.rend(); ++split)
    for (const Picture& picture : split->pictures)
      if (picture.usable()) uses.push_back({&*split, &picture});
  return uses;
}

void find_equal(const std::vector<Use>& uses, Findings& findings) {
  std::map<std::string_view, const Use*> first;
  for (const Use& use : uses) {
    const auto [found, fresh] = first.emplace(use.picture->facts.content_hash, &use);
    if (!fresh) tell(*found->second, use, findings);
  }
}

/// Pairs of other bytes. A pair across splits is a leak.
void find_near(const Context& context, const std::vector<Use>& uses, Findings& findings) {
  std::vector<similarity::Sketch> sketches;
  std::vector<const Use*> owners;
  std::set<std::string_view> seen;
  for (const Use& use : uses) {
    if (!use.picture->look.taken || !seen.insert(use.picture->facts.content_hash).second) continue;
    sketches.push_back(use.picture->sketch);
    owners.push_back(&use);
  }
  similarity::NearOptions options;
  options.stop = context.stop;
  for (const auto& pair : similarity::find_near_pairs(sketches, options).pairs) {
    const Use &kept = *owners[pair.a], &other = *owners[pair.b];
    const bool leak = kept.split != other.split;
    Finding& finding = findings.add(
        leak ? "near-leak" : "near-twice", other.split->name, other.picture->file,
        fmt::format("shows the same as {}{} (correlation {:.2f})", kept.picture->file.string(),
                    leak ? " in " + kept.split->name : std::string(), pair.likeness.correlation));
    finding.image = other.picture->file;
  }
}

/// Videos whose frames lie in several splits, by the names of the files.
void find_groups(const std::vector<Use>& uses, Findings& findings) {
  std::map<std::string, std::map<const Split*, std::vector<const Picture*>>> videos;
  for (const Use& use : uses)
    if (const std::string video = similarity::video_of(use.picture->file); !video.empty())
      videos[video][use.split].push_back(use.picture);
  // A set whose images have one numbered name is no video: most sets are.
  constexpr std::size_t least_videos = 2;
  if (videos.size() < least_videos) return;
  for (const auto& [video, splits] : videos) {
    if (splits.size() < 2) continue;
    std::string text = fmt::format("frames of '{}' by their names:", video);
    for (const auto& [split, pictures] : splits)
      text += fmt::format(" {} in {}", pictures.size(), split->name);
    findings.add("group-in-splits", "", splits.begin()->second.front()->file, text);
  }
}

void find_copies(const Context& context, Findings& findings) {
  const std::vector<Use> uses = uses_of(context.subject);
  find_equal(uses, findings);
  find_near(context, uses, findings);
  find_groups(uses, findings);
}

}  // namespace

Family copy_family() {
  return {"Copies",
          {{"image-twice", "an image that is in its split twice", Severity::warning, true},
           {"leaked-image", "an image that is in another split, too", Severity::error, true},
           {"near-twice", "an image that shows the same as another of its split", Severity::info},
           {"near-leak", "an image that shows the same as one of another split"},
           {"group-in-splits", "frames of one video, by their names, in several splits",
            Severity::info}},
          find_copies};
}

}  // namespace yolov7::dataset::doctor
