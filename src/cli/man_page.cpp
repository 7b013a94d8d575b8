#include "cli/man_page.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/examples.hpp"
#include "cli/option_text.hpp"
#include "cli/verb_tables.hpp"
#include "core/text.hpp"
#include "core/version.hpp"

namespace yolov7::cli {
namespace {

std::string page_name(std::string_view title) {
  std::string name = title.empty() ? "yolov7" : fmt::format("yolov7-{}", title);
  std::replace(name.begin(), name.end(), ' ', '-');
  return name;
}

std::string head(std::string_view title, std::string_view summary, const std::string& usage) {
  const std::string name = page_name(title);
  std::string capitals = name;
  std::transform(capitals.begin(), capitals.end(), capitals.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return fmt::format(
      ".TH {} 1 \"\" \"yolov7.cpp {}\" \"User commands\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n.B "
      "{}\n",
      roff_text(capitals), program_version(), roff_text(name), roff_text(summary),
      roff_text(usage));
}

std::string paragraph(const std::string& tag, const std::string& text) {
  return fmt::format(".TP\n{}\n{}\n", tag, text);
}

std::string option_entry(const Setting& one) {
  std::string tag = "\\fB" + roff_text("--" + one.name) + "\\fR";
  for (const std::string& other : one.aliases) tag += ", \\fB" + roff_text("--" + other) + "\\fR";
  if (const std::string value = value_text(one); !value.empty())
    tag += " \\fI" + roff_text(value) + "\\fR";
  return paragraph(tag,
                   roff_text(one.help + (one.positional_allowed ? "; also without its name" : "") +
                             remark(one)));
}

std::string examples(std::string_view title) {
  const auto lines = examples_of(title);
  if (lines.empty()) return "";
  std::string out = ".SH EXAMPLES\n.EX\n";
  for (const std::string_view line : lines) out += roff_text(line) + "\n";
  return out + ".EE\n";
}

std::string exit_codes() {
  std::string out = ".SH \"EXIT STATUS\"\n";
  for (const auto& [code, meaning] :
       {std::pair("0", "done"), std::pair("1", "a failure, or a result with losses"),
        std::pair("2", "a wrong call"), std::pair("130", "interrupted")})
    out += paragraph(fmt::format("\\fB{}\\fR", code), meaning);
  return out;
}

std::string environment() {
  std::string out = ".SH ENVIRONMENT\n";
  for (const auto& [name, meaning] :
       {std::pair("NO_COLOR", "not empty: no colours on the terminal"),
        std::pair("XDG_CACHE_HOME",
                  "parent of the folder for indices of read-only data sets and "
                  "compiled networks; without it ~/.cache"),
        std::pair("YOLOV7_STORE", "folder of the version store, where --store names none"),
        std::pair("YOLOV7_ONNXRUNTIME", "path of the library of ONNX Runtime"),
        std::pair("YOLOV7_FONT", "path of a font that is asked before the others"),
        std::pair("YOLOV7_CREDENTIALS",
                  "file with the keys of servers; without it ~/.config/yolov7.cpp/credentials, or "
                  "that folder in XDG_CONFIG_HOME"),
        std::pair("YOLOV7_SERVER_KEY", "key of a server of the Open Inference Protocol"),
        std::pair("ROBOFLOW_API_KEY, LABEL_STUDIO_API_KEY, CVAT_ACCESS_TOKEN", "keys of these"),
        std::pair("CVAT_USERNAME, CVAT_PASSWORD", "instead of CVAT's token"),
        std::pair("MLFLOW_TRACKING_URI", "address of the MLflow server of --mlflow without one"),
        std::pair("MLFLOW_TRACKING_TOKEN", "its token"),
        std::pair("MLFLOW_TRACKING_USERNAME, MLFLOW_TRACKING_PASSWORD", "instead of its token"),
        std::pair("SSL_CERT_FILE", "further authorities whose certificates are trusted")})
    out += paragraph(fmt::format("\\fB{}\\fR", roff_text(name)), roff_text(meaning));
  return out;
}

}  // namespace

std::string roff_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else if (c == '\'')
      out += "\\(aq";
    else if (c == '`')
      out += "\\(ga";
    else if (c == '^')
      out += "\\(ha";
    else if (c == '~')
      out += "\\(ti";
    else
      out += c;
  }
  return out.starts_with('.') ? "\\&" + out : out;
}

std::string page_file(std::string_view title) { return page_name(title) + ".1"; }

std::string program_page() {
  std::string out = head("", "the life-cycle of YOLOv7 detectors", "yolov7 <verb> [options]");
  out +=
      ".SH DESCRIPTION\nOptions may be shortened as long as they are unambiguous; \\(aq\\-\\(aq "
      "and "
      "\\(aq_\\(aq are alike. Every verb has a page of its own.\n.SH VERBS\n";
  each_verb([&](const std::string& title, const Verb& verb) {
    out += paragraph(fmt::format("\\fB{}\\fR(1)", roff_text(page_name(title))),
                     roff_text(verb.summary));
  });
  return out + exit_codes() + environment();
}

std::string verb_page(const Settings& table) {
  std::string out = head(table.title, summary_of(table.title), usage(table));
  out += ".SH OPTIONS\n";
  for (const OptionGroup& group : groups_of(table)) {
    out += fmt::format(".SS \"{}\"\n", roff_text(group.title));
    for (const Setting* one : group.settings) out += option_entry(*one);
  }
  return out + examples(table.title) + exit_codes() + ".SH \"SEE ALSO\"\n.BR yolov7 (1)\n";
}

}  // namespace yolov7::cli
