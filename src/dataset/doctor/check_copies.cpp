// Images that occur twice, in one split or in several: equal bytes, near duplicates, frames of one
// video (data-services D1, D2).
#include <fmt/format.h>

#include <map>
#include <set>
#include <unordered_map>

#include "dataset/doctor/checks.hpp"
#include "dataset/similarity/exact.hpp"
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

void tell_near(const Use& kept, const Use& other, const std::string& how, Findings& findings) {
  const bool leak = kept.split != other.split;
  Finding& finding =
      findings.add(leak ? "near-leak" : "near-twice", other.split->name, other.picture->file,
                   fmt::format("shows the same as {}{} ({})", kept.picture->file.string(),
                               leak ? " in " + kept.split->name : std::string(), how));
  finding.image = other.picture->file;
}

/// Images without structure are near to nothing: they can only be equal.
void find_equal_pixels(const Context& context, const std::vector<const Use*>& owners,
                       const std::vector<std::size_t>& plain, Findings& findings) {
  std::vector<std::filesystem::path> files;
  for (const Use* use : owners) files.push_back(use->picture->file);
  const auto digests = similarity::pixel_digests(files, plain, 0, context.stop);
  std::unordered_map<std::string_view, std::size_t> first;
  for (const std::size_t i : plain) {
    if (digests[i].empty()) continue;
    const auto [known, fresh] = first.emplace(digests[i], i);
    if (!fresh) tell_near(*owners[known->second], *owners[i], "the same pixels", findings);
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
  const similarity::NearPairs near = similarity::find_near_pairs(sketches, options);
  for (const similarity::NearPair& pair : near.pairs)
    tell_near(*owners[pair.a], *owners[pair.b],
              fmt::format("correlation {:.2f}", pair.likeness.correlation), findings);
  find_equal_pixels(context, owners, near.plain, findings);
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

std::size_t plain_images(const Subject& subject) {
  std::size_t count = 0;
  for (const Use& use : uses_of(subject))
    count += use.picture->look.taken && use.picture->sketch.plain != 0 ? 1 : 0;
  return count;
}

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
