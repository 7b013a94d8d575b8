#pragma once
// Event files that TensorBoard reads: records of TensorFlow's framing, protocol-buffer messages
// `Event` (tensorflow/core/util/event.proto), written by hand, for they are a handful of fields.
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace yolov7::monitoring {

/// One node of a graph: names with '/' are shown as nested groups.
struct GraphNode {
  std::string name, operation;
  std::vector<std::string> inputs;         ///< names of other nodes
  std::vector<std::int64_t> output_shape;  ///< −1: any
};

using Hyperparameter = std::variant<double, bool, std::string>;

class TensorBoardWriter {
 public:
  /// Makes `folder`/events.out.tfevents.<seconds>.yolov7.<process>.<number>. `first_step`: where
  /// the run goes on; what earlier files of the folder say of this step and later ones, TensorBoard
  /// then leaves out (0 = a new run). Error: the file cannot be made.
  TensorBoardWriter(const std::filesystem::path& folder, std::int64_t first_step);
  ~TensorBoardWriter();
  TensorBoardWriter(const TensorBoardWriter&) = delete;
  TensorBoardWriter& operator=(const TensorBoardWriter&) = delete;

  const std::filesystem::path& path() const { return path_; }

  // Each is written at once, with one write(2). Errors: a full disk.

  /// One event with all values of a step; stored as float32, as TensorBoard has it.
  void scalars(std::int64_t step, const std::vector<std::pair<std::string, double>>& values);
  /// A picture, PNG or JPEG bytes, of that size in pixels.
  void picture(std::int64_t step, const std::string& tag, std::string_view encoded, int width,
               int height);
  /// Markdown, in the Text tab.
  void text(std::int64_t step, const std::string& tag, const std::string& markdown);
  /// In the HParams tab, with the metrics (tags of scalars) that are to stand beside them.
  void hyperparameters(const std::map<std::string, Hyperparameter>& values,
                       const std::vector<std::string>& metrics);
  /// The run came to its end.
  void finished();
  void graph(const std::vector<GraphNode>& nodes);

 private:
  void event(std::int64_t step, std::string_view what);

  std::filesystem::path path_;
  int file_ = -1;
};

}  // namespace yolov7::monitoring
