#pragma once
// One annotation format: how it is recognised, read and written, and what it cannot hold.
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "dataset/formats/annotated_set.hpp"
#include "dataset/formats/conversion.hpp"
#include "dataset/formats/image_finder.hpp"
#include "dataset/formats/source_tree.hpp"

namespace yolov7::dataset {

struct ReadOptions {
  std::vector<std::string> names;  ///< for formats whose files may lack them
  std::string class_attribute;  ///< which attribute is the class, where the format leaves it open
  bool voc_one_based = false;   ///< Pascal VOC: corners are pixel indices from 1
  bool as_predictions = false;  ///< YOLO rows of 6 values: the last one is a score
  int threads = 0;              ///< 0 = usable cores
  std::string crowdhuman_box = "full";  ///< which box of a person: full, visible, head or all
  std::filesystem::path unpack_folder;  ///< where images go that stand inside annotation files
};

/// What a reader works with. It appends to `account.notes`, counts account.annotations.in (files or
/// entries that hold an image), account.boxes.in (every object it hands out, and every one it
/// drops itself) and account.not_boxes.
struct Reading {
  const SourceTree& tree;
  const ImageFinder& finder;
  const ReadOptions& options;
  Conversion& account;
  std::stop_token stop = {};  ///< looked at between files or entries
};

/// Where losses go that are kept beside the format, in words.
inline constexpr const char* extra_line = "line of annotations.extra.jsonl";

/// What is lost where an object has several attributes of one name, and the format keeps one.
inline constexpr const char* repeated_attribute = "attribute of a name that its object has again";

struct WriteOptions {
  bool hard_link = false;
};

/// What a writer works with: `set` is prepared (pixels, clipped, every image has a file).
struct Writing {
  const AnnotatedSet& set;
  std::filesystem::path folder;  ///< exists and is empty
  const WriteOptions& options;
  Conversion& account;        ///< for renamed images and notes
  std::stop_token stop = {};  ///< looked at between files
};

/// Where a property of an object goes in a format. no_file: an image that nobody has looked at gets
/// no annotation file; reading names it and leaves it out.
enum class Keep { no, yes, attribute, side_file, no_file };

struct Holds {
  /// One ring whose box is that of the object, with four corners (quad) or others; beside another
  /// box than its own (loose); several rings (parts).
  Keep polygon = Keep::no, quad = Keep::no, loose = Keep::no, parts = Keep::no;
  Keep mask = Keep::no, rotation = Keep::no, crowd = Keep::no, ignore = Keep::no,
       difficult = Keep::no, truncated = Keep::no, occluded = Keep::no, attributes = Keep::no,
       group = Keep::no, z_order = Keep::no, track = Keep::no, score = Keep::no, ids = Keep::no,
       tags = Keep::no;
  Keep key_points = Keep::no, joints = Keep::no;  ///< joints: the lines between key points
  Keep background = Keep::yes;                    ///< an image without any object
  Keep not_annotated = Keep::no;  ///< tells an image without objects from one not yet annotated
};

struct Format {
  std::string name, title;
  std::vector<std::string> spellings;  ///< further names for --from and --to
  std::string description;             ///< one line: what the files look like
  /// Sure signs of this format; must not fail on other formats' files.
  bool (*detect)(const SourceTree& tree) = nullptr;
  /// Writes images that stand inside the files to `folder`, and puts them into the tree; null: none
  /// do.
  void (*unpack)(SourceTree& tree, const std::filesystem::path& folder,
                 const std::stop_token& stop) = nullptr;
  AnnotatedSet (*read)(const Reading& reading) = nullptr;  ///< null: not read
  const char* read_words = "yes";                          ///< in the table of docs/formats.md
  void (*write)(const Writing& writing) = nullptr;         ///< null: not written
  Holds holds;
  /// Attributes that have a column of their own where others have no place; null: none has.
  bool (*keeps_attribute)(const Attribute& one) = nullptr;
  bool names_once = false;  ///< of several attributes of one name an object keeps the last one
  /// What its files change besides, and the same in words for docs/formats.md; may be absent.
  void (*limits)(AnnotatedSet& set) = nullptr;
  std::string limits_words;
};

}  // namespace yolov7::dataset
