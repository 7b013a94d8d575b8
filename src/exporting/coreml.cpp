#include "exporting/coreml.hpp"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "core/error.hpp"
#include "core/file.hpp"
#include "core/text.hpp"
#include "exporting/coreml_network.hpp"
#include "exporting/coreml_primitives.hpp"

namespace yolov7::exporting {
namespace {

// Field numbers of Model.proto, FeatureTypes.proto and NonMaximumSuppression.proto.
namespace model_field {
constexpr int version = 1, description = 2, pipeline = 202, suppression = 610;
}
namespace description_field {
constexpr int input = 1, output = 10, metadata = 100;
}
namespace metadata_field {
constexpr int description = 1, version = 2, author = 3, license = 4, own = 100;
}
namespace feature_type_field {
constexpr int number = 2, image = 4, array = 5, optional = 1000;
}
namespace suppression_field {
constexpr int pick_top = 1, labels = 100, iou = 110, confidence = 111, confidence_input = 200,
              coordinates_input = 201, iou_input = 202, threshold_input = 203,
              confidence_output = 210, coordinates_output = 211;
}

constexpr int rgb = 20, float32_array = 65568;
constexpr int suppression_version = 5;  ///< iOS 14
constexpr const char *raw_confidence = "raw_confidence", *raw_coordinates = "raw_coordinates";

ProtobufMessage feature(const std::string& name, std::string_view about, ProtobufMessage type) {
  ProtobufMessage message;
  message.text(1, name).text(2, about).message(3, std::move(type));
  return message;
}

ProtobufMessage array_feature(const CoremlValue& value, std::string_view about) {
  ProtobufMessage array, type;
  array.integers(1, value.shape).integer(2, float32_array);
  type.message(feature_type_field::array, std::move(array));
  return feature(value.name, about, std::move(type));
}

/// Any number of rows of `columns` numbers.
ProtobufMessage list_feature(const std::string& name, int columns, std::string_view about) {
  ProtobufMessage any, fixed, range, array, type;
  any.integer(1, 0).integer(2, -1);
  fixed.integer(1, columns).integer(2, columns);
  range.message(1, std::move(any)).message(1, std::move(fixed));
  array.integer(2, float32_array).message(31, std::move(range));
  type.message(feature_type_field::array, std::move(array));
  return feature(name, about, std::move(type));
}

ProtobufMessage image_feature(const ExportModel& model) {
  ProtobufMessage image, type;
  image.integer(1, model.width).integer(2, model.height).integer(3, rgb);
  type.message(feature_type_field::image, std::move(image));
  return feature("image", "R G B, letterboxed with 114", std::move(type));
}

ProtobufMessage threshold_feature(const std::string& name, std::string_view what, double standard) {
  ProtobufMessage type;
  type.message(feature_type_field::number, {}).integer(feature_type_field::optional, 1);
  return feature(name, fmt::format("{}; {} where it is left out", what, text::general(standard)),
                 std::move(type));
}

ProtobufMessage model_message(int version, ProtobufMessage description, int kind,
                              ProtobufMessage content) {
  ProtobufMessage message;
  message.integer(model_field::version, version)
      .message(model_field::description, std::move(description))
      .message(kind, std::move(content));
  return message;
}

class CoremlWriter {
 public:
  CoremlWriter(const ExportModel& model, const ExportOptions& options, CoremlGraph& graph)
      : model_(model),
        options_(options),
        program_(graph),
        primitives_(program_, model, options.half ? CoremlType::float16 : CoremlType::float32) {}

  ProtobufMessage run() {
    // In float16 too: pixels are exact, and 1/255 is 1.5e-5 beside it.
    const CoremlValue pixels = program_.cast(
        program_.input("image", CoremlType::float32, {1, 3, model_.height, model_.width}),
        options_.half ? CoremlType::float16 : CoremlType::float32);
    const CoremlValue rows =
        primitives_.rows(primitives_.binary("mul", pixels, program_.real(1.0 / 255, pixels.type)));
    if (model_.form > OutputForm::decoded) return pipeline(rows);
    const CoremlValue output = options_.fold_obj ? give(without_objectness(rows), output_name())
                                                 : give(rows, output_name());
    const char* about = options_.fold_obj ? "centre and size in pixels, objectness x class"
                                          : "centre and size in pixels, objectness, classes";
    ProtobufMessage description;
    description.message(description_field::input, image_feature(model_))
        .message(description_field::output, array_feature(output, about))
        .message(description_field::metadata, about_model(options_.fold_obj ? "v8" : "v5", {}));
    return model_message(program_.version(), std::move(description), program_.kind(),
                         program_.finish({output.name}));
  }

 private:
  int class_count() const { return model_.network().class_count; }
  std::string output_name() const { return options_.reference_parity ? "output" : "output0"; }
  CoremlValue give(const CoremlValue& value, const std::string& name) {
    return program_.operation("identity", {{"x", {value}}}, value.type, value.shape, name);
  }

  /// Objectness · class; of a single class the objectness, since its probability is not trained.
  CoremlValue scores(const CoremlValue& rows) {
    const CoremlValue objectness = primitives_.columns(rows, 4, 5);
    if (class_count() == 1) return objectness;
    return primitives_.binary("mul", primitives_.columns(rows, 5, 5 + class_count()), objectness);
  }
  CoremlValue without_objectness(const CoremlValue& rows) {
    return primitives_.transpose(
        primitives_.concat({primitives_.columns(rows, 0, 4), scores(rows)}, 2), {0, 2, 1});
  }

  ProtobufMessage about_model(std::string_view layout_name, const Metadata& more) const {
    Metadata all = metadata(model_, options_, layout_name);
    all.insert(all.end(), more.begin(), more.end());
    ProtobufMessage message;
    const std::pair<const char*, int> places[] = {{"description", metadata_field::description},
                                                  {"version", metadata_field::version},
                                                  {"author", metadata_field::author},
                                                  {"license", metadata_field::license}};
    for (const auto& [key, place] : places)
      for (const auto& [name, value] : all)
        if (name == key) message.text(place, value);
    for (const auto& [name, value] : all) {
      ProtobufMessage pair;
      pair.text(1, name).text(2, value);
      message.message(metadata_field::own, std::move(pair));
    }
    return message;
  }

  ProtobufMessage pipeline(const CoremlValue& rows) {
    const std::int64_t count = rows.shape[1];
    const auto w = static_cast<float>(model_.width), h = static_cast<float>(model_.height);
    const CoremlValue parts = primitives_.binary(
        "mul", primitives_.columns(rows, 0, 4),
        program_.reals({1, 1, 4}, {1 / w, 1 / h, 1 / w, 1 / h}, CoremlType::float32));
    const CoremlValue confidence =
        give(primitives_.reshape(scores(rows), {count, class_count()}), raw_confidence);
    const CoremlValue coordinates = give(primitives_.reshape(parts, {count, 4}), raw_coordinates);
    constexpr const char *about_confidence = "objectness x class",
                         *about_coordinates = "centre and size as parts of the image's sides";

    ProtobufMessage described;
    described.message(description_field::input, image_feature(model_))
        .message(description_field::output, array_feature(confidence, about_confidence))
        .message(description_field::output, array_feature(coordinates, about_coordinates));
    ProtobufMessage models;
    models.message(1, model_message(program_.version(), std::move(described), program_.kind(),
                                    program_.finish({raw_confidence, raw_coordinates})));

    const auto add_thresholds = [&](ProtobufMessage& to) {
      to.message(
            description_field::input,
            threshold_feature("iouThreshold", "IoU above which a box goes", options_.iou_thres))
          .message(
              description_field::input,
              threshold_feature("confidenceThreshold", "lowest confidence", options_.conf_thres));
    };
    const auto add_outputs = [&](ProtobufMessage& to) {
      to.message(description_field::output,
                 list_feature("confidence", class_count(), about_confidence))
          .message(description_field::output, list_feature("coordinates", 4, about_coordinates));
    };
    ProtobufMessage chosen;
    chosen.message(description_field::input, array_feature(confidence, about_confidence))
        .message(description_field::input, array_feature(coordinates, about_coordinates));
    add_thresholds(chosen);
    add_outputs(chosen);
    models.message(1, model_message(suppression_version, std::move(chosen),
                                    model_field::suppression, suppression()));
    models.text(2, "network").text(2, "suppression");

    ProtobufMessage whole;
    whole.message(description_field::input, image_feature(model_));
    add_thresholds(whole);
    add_outputs(whole);
    whole.message(
        description_field::metadata,
        about_model("coreml-nms", {{"IoU threshold", text::general(options_.iou_thres)},
                                   {"Confidence threshold", text::general(options_.conf_thres)}}));
    return model_message(std::max(program_.version(), suppression_version), std::move(whole),
                         model_field::pipeline, std::move(models));
  }

  ProtobufMessage suppression() const {
    ProtobufMessage pick, labels, message;
    if (!options_.agnostic_nms) pick.integer(1, 1);
    for (const std::string& name : model_.names) labels.text(1, text::printable(name));
    message.message(suppression_field::pick_top, std::move(pick))
        .message(suppression_field::labels, std::move(labels))
        .real64(suppression_field::iou, options_.iou_thres)
        .real64(suppression_field::confidence, options_.conf_thres)
        .text(suppression_field::confidence_input, raw_confidence)
        .text(suppression_field::coordinates_input, raw_coordinates)
        .text(suppression_field::iou_input, "iouThreshold")
        .text(suppression_field::threshold_input, "confidenceThreshold")
        .text(suppression_field::confidence_output, "confidence")
        .text(suppression_field::coordinates_output, "coordinates");
    return message;
  }

  const ExportModel& model_;
  const ExportOptions& options_;
  CoremlGraph& program_;
  CoremlPrimitives primitives_;
};

void write_text(const std::filesystem::path& path, const std::string& content) {
  std::ofstream out(path, std::ios::binary);
  out << content;
  if (!out.flush()) throw Error(fmt::format("{}: cannot be written", path.string()));
}

/// A UUID of version 8 (RFC 9562) from the content, so that a repeat gives equal bytes.
std::string identifier(std::string_view content) {
  std::string digits = file::content_hash(content);
  for (char& c : digits)
    if (c >= 'a' && c <= 'f') c = static_cast<char>(c - 'a' + 'A');
  digits[12] = '8', digits[16] = 'A';
  return fmt::format("{}-{}-{}-{}-{}", digits.substr(0, 8), digits.substr(8, 4),
                     digits.substr(12, 4), digits.substr(16, 4), digits.substr(20));
}

std::string manifest(const std::string& program) {
  const std::string model = identifier(program), weights = identifier(model);
  const auto item = [](const std::string& key, const char* what, const char* name) {
    return fmt::format(
        "    \"{}\": {{\n      \"author\": \"com.apple.CoreML\",\n"
        "      \"description\": \"CoreML Model {}\",\n      \"name\": \"{}\",\n"
        "      \"path\": \"com.apple.CoreML/{}\"\n    }}",
        key, what, name, name);
  };
  return fmt::format(
      "{{\n  \"fileFormatVersion\": \"1.0.0\",\n  \"itemInfoEntries\": {{\n{},\n{}\n  }},\n"
      "  \"rootModelIdentifier\": \"{}\"\n}}\n",
      item(model, "Specification", "model.mlmodel"), item(weights, "Weights", "weights"), model);
}

void require_size(std::uint64_t bytes) {
  if (bytes > protobuf_limit)
    throw Error(fmt::format(
        "coreml: expected at most 2 GB of program, which is the format's limit, found {:.1f}",
        static_cast<double>(bytes) / 1e9));
}

}  // namespace

void write_coreml(const ExportModel& model, const ExportOptions& options,
                  const std::filesystem::path& path) {
  if (model.batch != 1)
    throw usage_error(
        fmt::format("export: coreml: expected --batch-size 1, since an input image is a single "
                    "one, found {}",
                    model.batch));
  if (options.half) require_float16_range(model);
  if (options.mlmodel) {
    CoremlNetwork network;
    const ProtobufMessage file = CoremlWriter(model, options, network).run();
    require_size(file.size());
    std::ofstream out(path, std::ios::binary);
    file.write(out);
    if (!out.flush()) throw Error(fmt::format("{}: cannot be written", path.string()));
    return;
  }
  const std::filesystem::path data = path / "Data" / "com.apple.CoreML";
  file::make_folder(data / "weights");
  CoremlWeights weights(data / "weights" / "weight.bin");
  CoremlProgram graph(weights, options.int8);
  std::ostringstream bytes;
  CoremlWriter(model, options, graph).run().write(bytes);
  weights.finish();
  const std::string program = std::move(bytes).str();
  require_size(program.size());
  write_text(data / "model.mlmodel", program);
  write_text(path / "Manifest.json", manifest(program));
}

}  // namespace yolov7::exporting
