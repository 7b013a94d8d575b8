// Images that occur twice, in one split or in several (data-services D1, D2).
#include <fmt/format.h>

#include <map>

#include "dataset/doctor/checks.hpp"

namespace yolov7::dataset::doctor {
namespace {

struct Use {
  const Split* split;
  const Picture* picture;
};

void tell(const Use& kept, const Use& copy, Findings& findings) {
  const bool leak = kept.split != copy.split;
  Finding& finding = findings.add(
      leak ? "leaked-image" : "image-twice", copy.split->name, copy.picture->file,
      fmt::format("{} {}{}",
                  kept.picture->file == copy.picture->file ? "the same file as"
                                                           : "the same bytes as",
                  kept.picture->file.string(),
                  leak ? fmt::format(" in {}: results on {} are too good", kept.split->name,
                                     kept.split->name)
                       : std::string()));
  finding.image = copy.picture->file;
  finding.changes.push_back({Change::Kind::drop_image, 0, {}});
}

/// Of copies in several splits the last split's stays, so that what is measured on stays as it is.
void find_copies(const Context& context, Findings& findings) {
  std::map<std::string, std::vector<Use>> uses;
  const auto& splits = context.subject.splits;
  for (auto split = splits.rbegin(); split != splits.rend(); ++split)
    for (const Picture& picture : split->pictures)
      if (picture.usable()) uses[picture.facts.content_hash].push_back({&*split, &picture});
  for (const auto& [hash, list] : uses)
    for (std::size_t i = 1; i < list.size(); ++i)
      tell(list.front(), list[i], findings);
}

}  // namespace

Family copy_family() {
  return {"Copies",
          {{"image-twice", "an image that is in its split twice", Severity::warning, true},
           {"leaked-image", "an image that is in another split, too", Severity::error, true}},
          find_copies};
}

}  // namespace yolov7::dataset::doctor
