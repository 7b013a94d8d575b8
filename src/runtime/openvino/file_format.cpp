#include "runtime/openvino/file_format.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <vector>

#include "core/archive.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "network/torch_file/foreign.hpp"
#include "runtime/openvino/flatbuffer_check.hpp"
#include "runtime/openvino/protobuf_check.hpp"

namespace yolov7::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view formats_that_run =
    "this program runs .onnx, .tflite, .pb, .torchscript, and folders of OpenVINO and SavedModel";

struct Suffix {
  std::string_view suffix;
  FileFormat format;
};
constexpr std::array suffixes{Suffix{".onnx", FileFormat::onnx},
                              Suffix{".xml", FileFormat::openvino},
                              Suffix{".tflite", FileFormat::tflite},
                              Suffix{".pb", FileFormat::frozen_graph},
                              Suffix{".torchscript", FileFormat::torchscript},
                              Suffix{".ptl", FileFormat::torchscript}};

/// Known, and run by others alone.
struct Elsewhere {
  std::string_view suffix, what;
};
constexpr std::array elsewhere{
    Elsewhere{".engine", "a TensorRT engine, which TensorRT alone runs"},
    Elsewhere{".plan", "a TensorRT engine, which TensorRT alone runs"},
    Elsewhere{".trt", "a TensorRT engine, which TensorRT alone runs"},
    Elsewhere{".mlpackage", "a Core ML package, which Apple's devices alone run"},
    Elsewhere{".mlmodel", "a Core ML model, which Apple's devices alone run"},
    Elsewhere{".mlmodelc", "a compiled Core ML model, which Apple's devices alone run"},
    Elsewhere{".param", "an ncnn model, which ncnn alone runs"}};

std::string_view run_elsewhere(const fs::path& path) {
  const std::string suffix = text::lower(path.extension().string());
  for (const Elsewhere& one : elsewhere)
    if (one.suffix == suffix) return one.what;
  return {};
}

std::optional<FileFormat> format_of_name(const fs::path& path) {
  if (text::lower(path.filename().string()).ends_with(".torchscript.pt"))
    return FileFormat::torchscript;
  const std::string suffix = text::lower(path.extension().string());
  for (const Suffix& one : suffixes)
    if (one.suffix == suffix) return one.format;
  return std::nullopt;
}

std::string first_bytes(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string bytes(8192, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  return bytes;
}

/// Whether nothing but the XML declaration stands before <net>, which has a version.
bool begins_openvino(std::string_view first) {
  const std::size_t net = first.find("<net ");
  if (net == std::string_view::npos) return false;
  std::string_view before = text::trim(first.substr(0, net));
  if (before.starts_with("\xEF\xBB\xBF")) before.remove_prefix(3);
  const bool declared = before.starts_with("<?xml") && before.ends_with("?>") &&
                        before.find_first_of("<>", 1) == before.size() - 1;
  const std::string_view tag = first.substr(net, first.substr(net).find('>'));
  return (before.empty() || declared) && tag.find(" version=\"1") != std::string_view::npos;
}

/// A file that a format's own check takes for it; names of other formats are looked for by marks.
std::string content_text(const fs::path& path, const std::string& first) {
  if (first.empty()) return "an empty file";
  if (first.size() > 8 && first.substr(4, 4) == "TFL3") return format_text(FileFormat::tflite);
  if (first.starts_with("PK\3\4")) {
    try {
      const network::ArchiveReader archive(path, network::ArchiveEntries::stored_and_compressed);
      return archive.holds_torchscript() ? format_text(FileFormat::torchscript) : "a zip archive";
    } catch (const Error&) {
      return "a damaged zip archive";
    }
  }
  if (begins_openvino(first)) return format_text(FileFormat::openvino);
  // A text is well-formed by chance at times, a graph with nodes hardly ever.
  if (protobuf_fault(path, ProtobufKind::onnx).empty()) return format_text(FileFormat::onnx);
  if (protobuf_fault(path, ProtobufKind::saved_model).empty())
    return format_text(FileFormat::saved_model);
  if (protobuf_fault(path, ProtobufKind::frozen_graph).empty())
    return format_text(FileFormat::frozen_graph);
  const std::string known = network::foreign_file(first, {});
  if (known.starts_with(format_text(FileFormat::onnx))) return {};  // damaged behind its beginning
  return known.substr(0, std::min(known.find(": "), known.find("; ")));
}

Error not_of_format(const fs::path& path, FileFormat expected, const std::string& found) {
  return Error(
      fmt::format("{}: expected {}, found {}", path.string(), format_text(expected), found));
}

/// The number behind `name`, which ends in a quotation mark; 0 where there is none.
std::uint64_t attribute(std::string_view tag, std::string_view name) {
  const std::size_t found = tag.find(name);
  if (found == std::string_view::npos) return 0;
  const std::string_view rest = tag.substr(found + name.size());
  const auto value = text::parse_int(rest.substr(0, rest.find('"')));
  return value && *value > 0 ? static_cast<std::uint64_t>(*value) : 0;
}

/// The largest end of what a tag takes of the weights. Each byte is looked at a few times only:
/// whoever made the file need not have made tags.
std::uint64_t needed_weights(std::string_view xml) {
  constexpr std::string_view offset = " offset=\"", size = " size=\"";
  std::uint64_t most = 0;
  for (std::size_t last = 0, at = 0; (at = xml.find(offset, last)) != std::string_view::npos;) {
    const std::size_t end = xml.find('>', at),
                      begin = xml.substr(last, at - last).find_last_of('<');
    if (end == std::string_view::npos) break;
    if (begin != std::string_view::npos) {
      const std::string_view tag = xml.substr(last + begin, end - last - begin);
      if (tag.find(size) != std::string_view::npos)
        most = std::max(most, attribute(tag, offset) + attribute(tag, size));
    }
    last = end;
  }
  return most;
}

/// `xml`: of OpenVINO. Its weights stand beside it.
void check_openvino(const fs::path& xml, const std::string& first) {
  constexpr std::uint64_t largest = 1 << 30;
  if (!begins_openvino(first)) {
    const std::string found = content_text(xml, first);
    if (first.find("<net ") != std::string::npos)
      throw not_of_format(xml, FileFormat::openvino, "one that is damaged before or in <net>");
    const bool markup = text::trim(first).starts_with('<');
    throw not_of_format(xml, FileFormat::openvino,
                        found.empty() || markup ? "XML of another kind" : found);
  }
  const std::uint64_t size = fs::file_size(xml);
  if (size > largest)
    throw Error(
        fmt::format("{}: expected at most {} bytes, found {}", xml.string(), largest, size));
  std::string content(static_cast<std::size_t>(size), '\0');
  std::ifstream(xml, std::ios::binary).read(content.data(), static_cast<std::streamsize>(size));
  if (text::trim(content).ends_with("</net>") == false)
    throw not_of_format(xml, FileFormat::openvino, "one that is cut: it does not end with </net>");
  const std::uint64_t needed = needed_weights(content);
  const fs::path weights = fs::path(xml).replace_extension(".bin");
  std::error_code error;
  const std::uint64_t there = fs::file_size(weights, error);
  if (needed == 0) return;
  if (error)
    throw Error(fmt::format("{}: expected the weights {} beside it, found none", xml.string(),
                            weights.filename().string()));
  if (there < needed)
    throw Error(
        fmt::format("{}: expected {} bytes or more, found {}: the file is cut, or of another model",
                    weights.string(), needed, there));
}

std::string listed(const std::vector<std::string>& names) {
  const std::size_t shown = std::min<std::size_t>(names.size(), 3);
  std::string all =
      text::join({names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown)}, ", ");
  return names.size() > shown ? fmt::format("{} and {} more", all, names.size() - shown) : all;
}

RecognisedFile recognise_folder(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error))
    names.push_back(it->path().filename().string());
  if (error)
    throw Error(fmt::format("{}: cannot list this folder: {}", folder.string(), error.message()));
  std::sort(names.begin(), names.end());
  const auto with = [&](std::string_view suffix) {
    std::vector<std::string> found;
    for (const std::string& one : names)
      if (text::lower(one).ends_with(suffix)) found.push_back(one);
    return found;
  };
  const auto refused = [&](const std::string& found) {
    return Error(
        fmt::format("{}: expected a folder with an OpenVINO model (.xml and .bin) or a "
                    "SavedModel (saved_model.pb), found {}",
                    folder.string(), found));
  };
  if (text::contains(names, "saved_model.pb")) {
    if (const std::string fault =
            protobuf_fault(folder / "saved_model.pb", ProtobufKind::saved_model);
        !fault.empty())
      throw not_of_format(folder / "saved_model.pb", FileFormat::saved_model,
                          "one that is cut or damaged: " + fault);
    return {FileFormat::saved_model, folder};
  }
  const std::vector<std::string> xml = with(".xml");
  if (xml.size() > 1)
    throw Error(fmt::format("{}: expected one .xml, found {}", folder.string(), xml.size()));
  if (xml.size() == 1) {
    check_openvino(folder / xml.front(), first_bytes(folder / xml.front()));
    return {FileFormat::openvino, folder / xml.front()};
  }
  if (names.empty()) throw refused("an empty one");
  if (text::contains(names, "saved_model.pbtxt"))
    throw refused("a SavedModel in text form, which is not read");
  if (text::contains(names, "Manifest.json") || text::contains(names, "coremldata.bin"))
    throw refused("a Core ML package, which Apple's devices alone run");
  if (!with(".param").empty()) throw refused("an ncnn model, which ncnn alone runs");
  for (const std::string& one : names)
    if (format_of_name(one) || text::lower(one).ends_with(".pt"))
      throw refused(fmt::format("{}; give that file", (folder / one).string()));
  throw refused(text::printable(listed(names)));
}

}  // namespace

std::string format_text(FileFormat format) {
  switch (format) {
    case FileFormat::onnx: return "an ONNX model";
    case FileFormat::openvino: return "an OpenVINO model";
    case FileFormat::tflite: return "a TensorFlow Lite model";
    case FileFormat::saved_model: return "a TensorFlow SavedModel";
    case FileFormat::frozen_graph: return "a TensorFlow frozen graph";
    case FileFormat::torchscript: return "a TorchScript file";
  }
  return "a model";
}

RecognisedFile recognise_file(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) throw Error(fmt::format("{}: no such file", path.string()));
  if (fs::is_directory(status)) return recognise_folder(path);
  if (!fs::is_regular_file(status))
    throw Error(fmt::format("{}: expected a file or a folder, found neither", path.string()));
  if (const std::string_view what = run_elsewhere(path); !what.empty())
    throw Error(fmt::format("{}: found {}; {}", path.string(), what, formats_that_run));
  const std::optional<FileFormat> named = format_of_name(path);
  if (!named)
    throw Error(fmt::format("{}: expected a model file; {}", path.string(), formats_that_run));
  const std::string first = first_bytes(path);
  if (*named == FileFormat::openvino) {
    check_openvino(path, first);
    return {*named, path};
  }
  const std::string found = content_text(path, first), expected = format_text(*named);
  if (found == expected) {
    if (*named == FileFormat::torchscript)  // LibTorch runs what it reads, damaged or not
      network::ArchiveReader(path, network::ArchiveEntries::stored_and_compressed).check_all();
    if (*named == FileFormat::tflite)
      if (const std::string fault = tflite_fault(path); !fault.empty())
        throw not_of_format(path, *named, "one that is cut or damaged: " + fault);
    return {*named, path};
  }
  if (!found.empty()) {
    std::string advice;
    for (const Suffix& one : suffixes)
      if (format_text(one.format) == found)
        advice = advice.empty() ? fmt::format("; name it {}", one.suffix) : advice;
    if (found == format_text(FileFormat::saved_model))
      advice = "; give the folder that holds it, where its name is saved_model.pb";
    throw not_of_format(path, *named, found + advice);
  }
  const std::string fault = *named == FileFormat::onnx ? protobuf_fault(path, ProtobufKind::onnx)
                            : *named == FileFormat::frozen_graph
                                ? protobuf_fault(path, ProtobufKind::frozen_graph)
                                : "it does not begin as one";
  throw not_of_format(path, *named, "one that is cut or damaged: " + fault);
}

}  // namespace yolov7::runtime
