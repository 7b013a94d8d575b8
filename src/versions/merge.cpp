#include "versions/merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/error.hpp"
#include "core/stop.hpp"
#include "versions/create.hpp"

namespace yolov7::versions {
namespace {

/// All that a version says of one path.
struct PathState {
  std::set<std::string> splits;
  Digest image{};
  std::optional<Digest> annotations;
  bool operator==(const PathState&) const = default;
};
using States = std::map<std::string, PathState>;

States states_of(const Content& content) {
  States states;
  for (const Item& item : content.items) {
    PathState& state = states[item.path];
    state.splits.insert(item.split);
    state.image = item.image;
    state.annotations = item.annotations;
  }
  return states;
}

const PathState* state_in(const States& states, const std::string& path) {
  const auto found = states.find(path);
  return found == states.end() ? nullptr : &found->second;
}

std::string joined(const std::set<std::string>& splits) {
  std::string text;
  for (const std::string& split : splits) text += (text.empty() ? "" : ", ") + split;
  return text;
}

class Merging {
 public:
  Merging(Store& store, const MergeOptions& options, Merged& result)
      : store_(store),
        options_(options),
        result_(result),
        base_(store.content(result.base.id)),
        ours_(store.content(result.ours.id)),
        theirs_(store.content(result.theirs.id)),
        classes_(
            merge_classes(base_.classes, ours_.classes, theirs_.classes, options.on_conflict)) {
    result.conflicts = classes_.conflicts;
    version.content.classes = classes_.classes;
  }

  NewVersion version;

  void merge() {
    const States base = states_of(base_), ours = states_of(ours_), theirs = states_of(theirs_);
    std::set<std::string> paths;
    for (const States* states : {&base, &ours, &theirs})
      for (const auto& one : *states) paths.insert(one.first);
    for (const std::string& path : paths) {
      check_stop(options_.stop);
      merge_path(path, state_in(base, path), state_in(ours, path), state_in(theirs, path));
    }
    std::sort(version.content.items.begin(), version.content.items.end(), before);
  }

 private:
  void conflict(const std::string& path, const char* what, std::string base, std::string ours,
                std::string theirs) {
    result_.conflicts.push_back({path, what, std::move(base), std::move(ours), std::move(theirs)});
  }

  /// The one of three values that holds; a conflict is named and decided.
  template <class T, class Text>
  const T& three_way(const std::string& path, const char* what, const T& base, const T& ours,
                     const T& theirs, const Text& text) {
    if (ours == theirs || theirs == base) return ours;
    if (ours == base) return theirs;
    conflict(path, what, text(base), text(ours), text(theirs));
    return options_.on_conflict == OnConflict::theirs ? theirs : ours;
  }

  void merge_path(const std::string& path, const PathState* base, const PathState* ours,
                  const PathState* theirs) {
    if (ours == nullptr || theirs == nullptr) {
      merge_presence(path, base, ours, theirs);
      return;
    }
    PathState merged;
    const PathState nothing;
    const PathState& from = base == nullptr ? nothing : *base;
    merged.splits = three_way(path, "split", from.splits, ours->splits, theirs->splits, joined);
    merged.image = three_way(path, "image", from.image, ours->image, theirs->image, hex);
    result_.images_from_ours += base != nullptr && ours->image != from.image ? 1 : 0;
    result_.images_from_theirs += base != nullptr && theirs->image != from.image ? 1 : 0;
    merged.annotations =
        merge_annotations(path, from.annotations, ours->annotations, theirs->annotations);
    put(path, merged);
  }

  /// An image that at least one side does not have.
  void merge_presence(const std::string& path, const PathState* base, const PathState* ours,
                      const PathState* theirs) {
    const bool is_ours = ours != nullptr;
    const PathState* there = is_ours ? ours : theirs;
    if (there == nullptr) return;  // both removed it
    std::size_t& count =
        is_ours == (base == nullptr) ? result_.images_from_ours : result_.images_from_theirs;
    PathState state = *there;
    state.annotations =
        rewritten(state.annotations, is_ours ? classes_.of_ours : classes_.of_theirs);
    if (base != nullptr) {  // in the numbers of the merged classes, as they may mean others
      PathState before = *base;
      before.annotations = rewritten(before.annotations, classes_.of_base);
      if (state == before) {  // the other side removed it
        ++count;
        return;
      }
    }
    if (base != nullptr) {
      conflict(path, "image", "there", is_ours ? "changed" : "", is_ours ? "" : "changed");
      const bool keep = (options_.on_conflict != OnConflict::theirs) == is_ours;
      if (!keep) return;
    } else {
      ++count;
    }
    put(path, state);
  }

  static int columns(const ClassList& classes) {
    return classes.key_points * classes.key_point_values;
  }

  /// Annotations of a side with the numbers of the merged classes.
  Annotations read(const std::optional<Digest>& digest, const std::vector<int>& numbers) {
    if (!digest) return {};
    Annotations annotations =
        parse_annotations(store_.text(*digest), columns(classes_.classes), hex(*digest));
    for (Shape& shape : annotations.shapes) {
      const auto place = static_cast<std::size_t>(shape.class_index);
      if (!shape.is_box || place >= numbers.size() || numbers[place] < 0) continue;
      shape.row = with_class(shape, annotations.yolo, numbers[place]);
      shape.class_index = numbers[place];
    }
    return annotations;
  }

  Digest keep(const Annotations& annotations) {
    std::string text = text_of(annotations);
    const Digest digest = sha256_digest(text);
    version.texts.emplace(digest, std::move(text));
    return digest;
  }

  std::optional<Digest> rewritten(const std::optional<Digest>& digest,
                                  const std::vector<int>& numbers) {
    bool same = true;
    for (std::size_t i = 0; i < numbers.size(); ++i)
      same = same && numbers[i] == static_cast<int>(i);
    if (!digest || same) return digest;
    return keep(read(digest, numbers));
  }

  std::optional<Digest> merge_annotations(const std::string& path,
                                          const std::optional<Digest>& base,
                                          const std::optional<Digest>& ours,
                                          const std::optional<Digest>& theirs) {
    const auto a = rewritten(base, classes_.of_base), b = rewritten(ours, classes_.of_ours),
               c = rewritten(theirs, classes_.of_theirs);
    if (b == c) return b;
    Annotations of_base = read(base, classes_.of_base), of_ours = read(ours, classes_.of_ours),
                of_theirs = read(theirs, classes_.of_theirs);
    const bool one_form = (!a || of_base.yolo == of_ours.yolo) &&
                          (!b || !c || of_ours.yolo == of_theirs.yolo) && b && c;
    if (!one_form) {  // one is not annotated any more, or has another form
      const auto text = [](const std::optional<Digest>& one) {
        return one ? hex(*one) : std::string();
      };
      return three_way(path, "annotations", a, b, c, text);
    }
    MergedShapes merged =
        merge_shapes(of_base.shapes, of_ours.shapes, of_theirs.shapes, options_.on_conflict);
    for (Conflict& one : merged.conflicts) {
      one.path = path;
      result_.conflicts.push_back(std::move(one));
    }
    result_.boxes_from_ours += merged.from_ours;
    result_.boxes_from_theirs += merged.from_theirs;
    result_.boxes_alike += merged.alike;
    const auto as_it_is = [](const std::string& one) { return one; };
    of_ours.image =
        three_way(path, "annotations", of_base.image, of_ours.image, of_theirs.image, as_it_is);
    if (a == b || a == c) {  // one side alone: its rows in its order
      return a == b ? c : b;
    }
    of_ours.shapes = std::move(merged.shapes);
    return keep(of_ours);
  }

  void put(const std::string& path, const PathState& state) {
    for (const std::string& split : state.splits) {
      version.content.items.push_back({path, split, state.image, state.annotations});
      if (!state.annotations) continue;
      const auto made = version.texts.find(*state.annotations);
      version.boxes +=
          row_count(made != version.texts.end() ? made->second : store_.text(*state.annotations));
    }
  }

  Store& store_;
  const MergeOptions& options_;
  Merged& result_;
  Content base_, ours_, theirs_;
  MergedClasses classes_;
};

}  // namespace

std::optional<Digest> common_ancestor(const std::vector<Entry>& history, const Entry& ours,
                                      const Entry& theirs) {
  using Keys = std::unordered_map<Digest, std::int64_t, DigestHash>;
  std::unordered_map<Digest, std::vector<const Entry*>, DigestHash> by_id;
  for (const Entry& entry : history) by_id[entry.id].push_back(&entry);
  // A content can come back, as when a change is taken back: it is then an ancestor of what lay
  // between, and its child. So parents are looked for among the entries before their child; a
  // bundle alone may have brought them later.
  const auto reached = [&](const Entry& start) {
    Keys newest;
    std::unordered_set<std::int64_t> seen;
    std::deque<std::pair<Digest, std::int64_t>> open{{start.id, start.key + 1}};
    while (!open.empty()) {
      const Digest id = open.front().first;
      const std::int64_t end = open.front().second;
      open.pop_front();
      const auto entries = by_id.find(id);
      if (entries == by_id.end()) continue;
      const bool earlier = std::any_of(entries->second.begin(), entries->second.end(),
                                       [&](const Entry* one) { return one->key < end; });
      for (const Entry* one : entries->second) {
        if ((earlier && one->key >= end) || !seen.insert(one->key).second) continue;
        std::int64_t& key = newest[id];
        key = std::max(key, one->key);
        for (const auto& parent : {one->parent, one->second_parent})
          if (parent) open.emplace_back(*parent, one->key);
      }
    }
    return newest;
  };
  const Keys of_ours = reached(ours), of_theirs = reached(theirs);
  std::optional<Digest> best;
  std::int64_t best_key = 0;
  for (const auto& [id, key] : of_ours) {
    const auto other = of_theirs.find(id);
    if (other == of_theirs.end()) continue;
    const std::int64_t both = std::min(key, other->second);
    if (best && both <= best_key) continue;
    best = id;
    best_key = both;
  }
  return best;
}

Merged merge(Store& store, const MergeOptions& options) {
  if (!options.name.empty()) require_name(options.name);
  const file::Lock lock = store.lock(options.stop);
  Merged result;
  result.ours = store.find(options.ours), result.theirs = store.find(options.theirs);
  if (!options.base.empty()) {
    result.base = store.find(options.base);
  } else {
    const auto ancestor = common_ancestor(store.history(), result.ours, result.theirs);
    if (!ancestor)
      throw Error(
          fmt::format("{} and {}: expected a version that both come from, found none: name "
                      "one as the base",
                      label_of(result.ours), label_of(result.theirs)));
    result.base = store.find(hex(*ancestor));
  }
  Merging merging(store, options, result);
  merging.merge();
  if (!result.conflicts.empty() && options.on_conflict == OnConflict::fail) return result;
  NewVersion& version = merging.version;
  version.name = options.name.empty() ? result.ours.name : options.name;
  version.parent = result.ours.id, version.second_parent = result.theirs.id;
  version.message =
      options.message.empty()
          ? fmt::format("{} merged into {}", label_of(result.theirs), label_of(result.ours))
          : options.message;
  version.author = options.author.empty() ? user_name() : options.author;
  result.entry = store.add(version, result.already_there);
  return result;
}

}  // namespace yolov7::versions
