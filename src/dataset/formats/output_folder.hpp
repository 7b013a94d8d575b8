#pragma once
// A folder that is never half-written: built beside its place, then renamed.
#include <filesystem>
#include <functional>
#include <span>

#include "dataset/index/description.hpp"

namespace yolov7::dataset {

/// Absolute and without a slash at the end, so that it has a name and a parent.
std::filesystem::path output_place(const std::filesystem::path& folder);
/// Error unless `folder` is absent or an empty folder. For an early answer, before long work.
void require_empty(const std::filesystem::path& folder);
/// Error if `folder` lies in one of these folders of a data set, or is one: what is written there
/// would be read as part of it from then on.
void require_outside(const std::filesystem::path& folder,
                     std::span<const std::filesystem::path> data);
/// The same for all that is read of a data set: the folders that its entries name and those of
/// listed images, with the folders of their labels; in another format the source folder and those
/// of its images.
void require_outside(const std::filesystem::path& folder, const Description& data);
/// Calls build(temporary folder beside `folder`), then syncs all that was written and renames it
/// onto `folder`: its files need no fsync of their own (Sync::later). If anything throws, the
/// temporary is removed and nothing was changed. Errors: `folder` holds something (nothing is ever
/// overwritten).
void build_folder(const std::filesystem::path& folder,
                  const std::function<void(const std::filesystem::path& temporary)>& build);

}  // namespace yolov7::dataset
