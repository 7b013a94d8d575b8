#include "exporting/serving.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "core/setting_name.hpp"
#include "core/text.hpp"
#include "exporting/trtexec.hpp"

namespace yolov7::exporting {
namespace {

namespace fs = std::filesystem;

struct TritonPlace {
  std::string_view format, key, value, file;  ///< `key`: platform or backend
};
constexpr TritonPlace triton_places[] = {
    {"onnx", "platform", "onnxruntime_onnx", "model.onnx"},
    {"openvino", "backend", "openvino", "model.xml"},
    {"saved_model", "platform", "tensorflow_savedmodel", "model.savedmodel"},
    {"pb", "platform", "tensorflow_graphdef", "model.graphdef"},
    {"torchscript", "platform", "pytorch_libtorch", "model.pt"},
    {"engine", "platform", "tensorrt_plan", "model.plan"}};

const TritonPlace* triton_place(const Format& format) {
  for (const TritonPlace& one : triton_places)
    if (one.format == format.name) return &one;
  return nullptr;
}

/// Of protobuf's text format, in double quotes.
std::string in_quotes(std::string_view words) {
  std::string all = "\"";
  for (const char c : text::printable(words)) {
    if (c == '"' || c == '\\') all += '\\';
    all += c;
  }
  return all + "\"";
}

std::string tensor_block(const char* what, const ServedTensor& tensor, bool with_batch) {
  std::vector<std::string> sides;
  for (std::size_t i = with_batch ? 0 : 1; i < tensor.sides.size(); ++i)
    sides.push_back(fmt::format("{}", tensor.sides[i]));
  const char* type = tensor.type == TensorType::int32     ? "TYPE_INT32"
                     : tensor.type == TensorType::float16 ? "TYPE_FP16"
                                                          : "TYPE_FP32";
  return fmt::format("{} {{\n  name: {}\n  data_type: {}\n  dims: [ {} ]\n}}\n", what,
                     in_quotes(tensor.name), type, text::join(sides, ", "));
}

/// What an export puts into a model's folder, besides what stands below these.
bool written_here(const fs::path& part) {
  for (const char* one :
       {"config.pbtxt", "1/model.onnx", "1/model.xml", "1/model.bin", "1/model.graphdef",
        "1/model.pt", "1/model.plan", "1/model.tflite", "1/saved_model.pb",
        "1/model.savedmodel/saved_model.pb", "1/model.savedmodel/metadata.yaml"})
    if (part == one) return true;
  return false;
}

/// Other versions of a model, and files of the user, stay where they are.
void require_own(const fs::path& place) {
  if (!fs::exists(place)) return;
  for (const auto& entry : fs::recursive_directory_iterator(place))
    if (const fs::path part = entry.path().lexically_relative(place);
        !entry.is_directory() && !written_here(part))
      throw Error(
          fmt::format("{}: expected the folder of an earlier export, found {} in it, which "
                      "an export does not write; move it away",
                      place.string(), part.string()));
  if (fs::exists(place / "1/model.plan"))
    log::warning(fmt::format("{}: removed: it was built from the earlier export",
                             (place / "1/model.plan").string()));
}

/// What processes that were killed left beside the place; the folder that stood there comes back
/// where its successor is not there yet.
void remove_left_behind(const fs::path& place) {
  const std::string start = fmt::format(".{}.", place.filename().string());
  std::error_code error;
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(place.parent_path(), error))
    if (entry.path().filename().string().starts_with(start)) found.push_back(entry.path());
  for (const fs::path& one : found) {
    const std::string name = one.filename().string().substr(start.size());
    const auto process = text::parse_int(std::string_view(name).substr(0, name.find('.')));
    const bool ours = name.ends_with(".export") || name.ends_with(".export.old");
    if (!ours || !process || *process <= 0 ||
        (::kill(static_cast<pid_t>(*process), 0) == 0 || errno != ESRCH))
      continue;
    if (name.ends_with(".old") && !fs::exists(place))
      fs::rename(one, place, error);
    else
      fs::remove_all(one, error);
  }
}

/// A folder that is made beside its place and takes it when it is whole.
class NewFolder {
 public:
  explicit NewFolder(fs::path place) : place_(fs::absolute(std::move(place))) {
    remove_left_behind(place_);
    require_own(place_);
    file::make_folder(place_.parent_path());
    part_ =
        place_.parent_path() / fmt::format(".{}.{}.export", place_.filename().string(), ::getpid());
    std::error_code ignored;
    fs::remove_all(part_, ignored);
    file::make_folder(part_);
  }
  ~NewFolder() {
    std::error_code ignored;
    fs::remove_all(part_, ignored);
    if (!aside_.empty()) fs::remove_all(aside_, ignored);
  }
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;
  fs::path operator/(const fs::path& name) const { return part_ / name; }

  void take_place() {
    file::sync_file_system(part_);
    std::error_code error;
    if (fs::exists(place_)) {
      aside_ = fs::path(part_.string() + ".old");
      fs::rename(place_, aside_, error);
    }
    if (!error) fs::rename(part_, place_, error);
    if (!error) return;
    std::error_code ignored;
    if (!aside_.empty() && !fs::exists(place_)) fs::rename(aside_, place_, ignored);
    aside_.clear();
    throw Error(fmt::format("{}: cannot be written: {}", place_.string(), error.message()));
  }

 private:
  fs::path place_, part_, aside_;
};

void copy_into(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::copy(from, to, fs::copy_options::recursive, error);
  if (error)
    throw Error(
        fmt::format("{}: cannot be copied to {}: {}", from.string(), to.string(), error.message()));
}

/// The .xml and .bin of an OpenVINO folder under the name that servers look for.
void copy_openvino(const fs::path& folder, const fs::path& to) {
  for (const auto& entry : fs::directory_iterator(folder))
    if (const fs::path suffix = entry.path().extension(); suffix == ".xml" || suffix == ".bin")
      copy_into(entry.path(), to / ("model" + suffix.string()));
}

/// Where an export leaves the batch open without a number, servers get one.
int largest_batch(const Format& format, const ExportModel& model) {
  constexpr int usual = 8;
  return model.batch > 1 || format.name == "engine" ? model.batch : usual;
}

/// Of the file's own outputs, which in some formats are others than the model's.
std::string_view served_layout(const Format& format, const ExportModel& model,
                               const ExportOptions& options) {
  const bool tensorflow = format.name == "saved_model" || format.name == "pb";
  if (tensorflow && model.form > OutputForm::decoded) return "tf-combined-nms";
  if (tensorflow) return options.fold_obj ? "v8" : "tf";
  ExportModel own = model;
  if (format.name == "engine" && own.form == OutputForm::nms_operator)
    own.form = OutputForm::nms_plugin;
  if (format.name == "openvino" && own.form == OutputForm::raw) own.form = OutputForm::decoded;
  if (format.by_libtorch && own.form > OutputForm::decoded) own.form = OutputForm::decoded;
  return layout(own, options);
}

Metadata served_metadata(const Format& format, const ExportModel& model,
                         const ExportOptions& options) {
  Metadata kept;
  for (const auto& pair : metadata(model, options, served_layout(format, model, options)))
    for (const char* key : {"names", "stride", "layout", "imgsz", "strides", "anchors"})
      if (pair.first == key) kept.push_back(pair);
  return kept;
}

ServedFile write_triton(const ExportedFile& file, const std::string& name, const ExportModel& model,
                        const ExportOptions& options) {
  const Format& format = *file.format;
  const TritonPlace& place = *triton_place(format);
  const ServedModel served = served_model(format, model, options);
  ServedFile result{"triton", name, fs::path(options.triton) / name,
                    fmt::format("tritonserver --model-repository={}",
                                text::shell_word(fs::absolute(options.triton).string()))};
  NewFolder folder(result.path);
  const fs::path version = folder / "1";
  file::make_folder(version);
  file::write_atomically(
      folder / "config.pbtxt",
      triton_config(format, served, name, served_metadata(format, model, options),
                    largest_batch(format, model)));
  if (format.name == "openvino")
    copy_openvino(file.path, version);
  else if (format.name != "engine")
    copy_into(file.path, version / place.file);
  folder.take_place();
  if (format.name == "engine")
    result.command = trtexec_line(model, options, file.path, result.path / "1" / place.file);
  return result;
}

/// The model's entry in config.json; entries of other models stay.
void add_to_ovms_config(const fs::path& config, const std::string& name) {
  nlohmann::json tree = {{"model_config_list", nlohmann::json::array()}};
  if (fs::exists(config)) tree = read_json(config);
  if (!tree.is_object() || !tree.contains("model_config_list") ||
      !tree["model_config_list"].is_array())
    throw Error(fmt::format("{}: expected an object with 'model_config_list', found something else",
                            config.string()));
  nlohmann::json& list = tree["model_config_list"];
  const nlohmann::json own = {{"config", {{"name", name}, {"base_path", name}}}};
  for (nlohmann::json& one : list)
    if (one.is_object() && one.contains("config") && one["config"].is_object() &&
        one["config"].value("name", "") == name) {
      one["config"]["base_path"] = name;
      file::write_atomically(config, json_text(tree, 2) + "\n");
      return;
    }
  list.push_back(own);
  file::write_atomically(config, json_text(tree, 2) + "\n");
}

ServedFile write_ovms(const ExportedFile& file, const std::string& name,
                      const ExportOptions& options) {
  const fs::path root(options.ovms);
  ServedFile result{"ovms", name, root / name,
                    fmt::format("ovms --config_path {} --port 9000 --rest_port 8000",
                                text::shell_word((fs::absolute(root) / "config.json").string()))};
  {
    NewFolder folder(result.path);
    const fs::path version = folder / "1";
    file::make_folder(version);
    if (file.format->name == "openvino")
      copy_openvino(file.path, version);
    else if (file.format->name == "saved_model")
      copy_into(file.path / "saved_model.pb", version / "saved_model.pb");
    else
      copy_into(file.path, version / ("model" + file.path.extension().string()));
    folder.take_place();
  }
  add_to_ovms_config(root / "config.json", name);
  return result;
}

/// DeepStream separates labels of one object by semicolons.
std::string label_lines(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) {
    std::string line = text::printable(name);
    std::replace(line.begin(), line.end(), ';', ',');
    all += line + "\n";
  }
  return all;
}

ServedFile write_deepstream(const ExportedFile& file, const std::string& name,
                            const ExportModel& model, const ExportOptions& options) {
  const fs::path root(options.deepstream);
  file::make_folder(root);
  const fs::path labels = root / (name + "-labels.txt"),
                 config = root / ("config_infer_" + name + ".txt");
  file::write_atomically(labels, label_lines(model.names));
  file::write_atomically(config, deepstream_config(model, options, file.path, labels));
  return {"deepstream", name, config,
          fmt::format("deepstream-app -c APPLICATION.txt, with config-file={} in its "
                      "[primary-gie]",
                      fs::absolute(config).string())};
}

}  // namespace

std::string served_name(const ExportOptions& options, const Format& format, bool several) {
  const std::string stem = text::file_name(fs::path(options.weights).stem().string());
  return several ? fmt::format("{}-{}", stem, format.name) : stem;
}

void check_serving(const ExportOptions& options, std::span<const Format* const> chosen) {
  const auto inside = [](const fs::path& path, const fs::path& folder) {
    std::error_code error;
    const fs::path below =
        fs::weakly_canonical(path, error).lexically_relative(fs::weakly_canonical(folder, error));
    return !below.empty() && *below.begin() != "..";
  };
  for (const auto& [option, root] : {std::pair{"triton", &options.triton}, {"ovms", &options.ovms}})
    for (const Format* one : chosen)
      for (const bool several : {false, true}) {
        if (root->empty() || !honours(*one, option)) continue;
        const fs::path folder = fs::path(*root) / served_name(options, *one, several);
        for (const auto& [name, path] : {std::pair{"weights", &options.weights},
                                         {"images", &options.images},
                                         {"out", &options.out}})
          if (!path->empty() && inside(*path, folder))
            throw usage_error(
                fmt::format("export: --{}: expected a folder without --{} ({}) in it, "
                            "found {}, which would be replaced",
                            option, name, *path, folder.string()));
      }
  const OutputForm form = output_form(options);
  const bool by_plugin = form == OutputForm::nms_plugin;
  if (!options.deepstream.empty() && form != OutputForm::nms_operator && !by_plugin)
    throw usage_error(
        "export: --deepstream: expected --end2end with it, since DeepStream's own parser reads "
        "suppressed boxes alone");
  for (const Format* one : chosen)
    if (by_plugin && one->name == "onnx" && (!options.triton.empty() || !options.ovms.empty()))
      throw usage_error(
          "export: --end2end: ONNX with TensorRT's operation runs in TensorRT alone; give --nms, "
          "or --include engine without onnx");
}

std::string triton_config(const Format& format, const ServedModel& served, const std::string& name,
                          const Metadata& metadata, int most) {
  const TritonPlace* place = triton_place(format);
  if (place == nullptr)
    throw Error(fmt::format("{}: Triton has no server for this format", format.name));
  std::string all =
      fmt::format("name: {}\n{}: \"{}\"\n", in_quotes(name), place->key, place->value);
  all += fmt::format("default_model_filename: \"{}\"\n", place->file);
  all += fmt::format("max_batch_size: {}\n", served.open_batch ? most : 0);
  for (const ServedTensor& one : served.inputs)
    all += tensor_block("input", one, !served.open_batch);
  for (const ServedTensor& one : served.outputs)
    all += tensor_block("output", one, !served.open_batch);
  if (served.open_batch) all += "dynamic_batching { }\n";
  for (const auto& [key, value] : metadata)
    all += fmt::format("parameters {{\n  key: {}\n  value {{ string_value: {} }}\n}}\n",
                       in_quotes(key), in_quotes(value));
  return all;
}

std::string deepstream_config(const ExportModel& model, const ExportOptions& options,
                              const fs::path& onnx, const fs::path& labels) {
  const fs::path engine = fs::absolute(onnx).replace_extension(".engine");
  std::string all = "[property]\ngpu-id=0\ngie-unique-id=1\nprocess-mode=1\nnetwork-type=0\n";
  // 1/255, as DeepStream's own examples write it.
  all += "net-scale-factor=0.0039215697906911373\nmodel-color-format=0\n";
  all += "maintain-aspect-ratio=1\nsymmetric-padding=1\n";
  all += fmt::format("onnx-file={}\nmodel-engine-file={}\nlabelfile-path={}\n",
                     fs::absolute(onnx).string(), engine.string(), fs::absolute(labels).string());
  all += fmt::format("batch-size={}\ninfer-dims=3;{};{}\nnetwork-mode={}\n", model.batch,
                     model.height, model.width, options.half ? 2 : 0);
  all += fmt::format("workspace-size={}\nnum-detected-classes={}\n",
                     std::lround(options.workspace * 1024), model.names.size());
  // The boxes are suppressed in the engine: cluster-mode 4 is none.
  all += "cluster-mode=4\noutput-blob-names=num_dets;det_boxes;det_scores;det_classes\n";
  all += "parse-bbox-func-name=NvDsInferParseCustomEfficientNMS\n";
  all += "custom-lib-path=/opt/nvidia/deepstream/deepstream/lib/libnvds_infercustomparser.so\n\n";
  all += fmt::format("[class-attrs-all]\npre-cluster-threshold={}\ntopk={}\n",
                     text::general(options.conf_thres), options.topk_all);
  return all;
}

std::vector<ServedFile> write_served(const std::vector<ExportedFile>& files,
                                     const ExportModel& model, const ExportOptions& options) {
  std::vector<ServedFile> all;
  const std::vector<const Format*> chosen = chosen_formats(options.include);
  const auto each = [&](const std::string& folder, std::string_view option, auto&& write) {
    if (folder.empty()) return;
    // A format that failed gives the others no other name.
    const auto asked = std::count_if(chosen.begin(), chosen.end(),
                                     [&](const Format* one) { return honours(*one, option); });
    const auto there = std::count_if(files.begin(), files.end(), [&](const ExportedFile& one) {
      return honours(*one.format, option);
    });
    for (const ExportedFile& one : files)
      if (honours(*one.format, option))
        all.push_back(write(one, served_name(options, *one.format, std::max(asked, there) > 1)));
  };
  each(options.triton, "triton", [&](const ExportedFile& one, const std::string& name) {
    return write_triton(one, name, model, options);
  });
  each(options.ovms, "ovms", [&](const ExportedFile& one, const std::string& name) {
    return write_ovms(one, name, options);
  });
  each(options.deepstream, "deepstream", [&](const ExportedFile& one, const std::string& name) {
    return write_deepstream(one, name, model, options);
  });
  return all;
}

}  // namespace yolov7::exporting
