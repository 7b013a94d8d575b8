#pragma once
// The one place that names results: every verb takes the names of its label files, crops, tables,
// copies and annotated images from here, so that two results never have one name. Pure functions of
// the names of the sources; whether a name may be written to is OutputGuard's.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

namespace yolov7 {

/// How many results come of one source: one ("a"), or one a frame ("a_1", "a_2", …).
enum class Results { one, numbered };

/// Gives each source a name that no other has. The first of equal names stays, later ones get "_2",
/// "_3" …. The numbered results of one source never have the name of another's single result
/// ("clip_1").
class OutputNames {
 public:
  /// `stem` may hold folders; `suffix` belongs to the name and stays at its end.
  std::string take(const std::string& stem, Results results = Results::one,
                   std::string_view suffix = {});

 private:
  bool free(const std::string& name, Results results) const;

  std::unordered_set<std::string> single_, numbered_, prefixes_;
  std::unordered_map<std::string, std::size_t> next_;
};

/// "<stem>_<number>": the results of one frame.
std::string numbered_name(const std::string& stem, std::size_t number);

/// The deepest folder that holds all of these, absolute; empty for none.
std::filesystem::path common_folder(std::span<const std::filesystem::path> folders);
/// The way from such a folder to one of them; empty where it is the same.
std::filesystem::path below(const std::filesystem::path& common,
                            const std::filesystem::path& folder);

/// A name without suffix for each file: the stem, or where two share one, with the folders below
/// their common folder.
std::vector<std::filesystem::path> result_stems(std::span<const std::filesystem::path> files);

struct IdSource {
  std::filesystem::path file;
  Results results = Results::one;
};
struct ImageIds {
  /// As they stand in JSON. Of a source with numbered results: the text before "_<number>".
  std::vector<std::string> ids;
  /// Two sources that would share an id; then all have 1 … n, in their order.
  std::optional<std::pair<std::size_t, std::size_t>> shared;
};
/// image_id of COCO's files: the number if the stem is all digits, else the stem as text
/// (evaluation 1.11); 1 … n where two would be equal (7 and 007, one name in two folders).
ImageIds image_ids(std::span<const IdSource> sources);
/// image_id of a frame, JSON: the text "<id>_<number>".
std::string frame_image_id(const std::string& id, std::size_t number);

}  // namespace yolov7
