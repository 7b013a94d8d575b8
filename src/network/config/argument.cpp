#include "network/config/argument.hpp"

#include <fmt/format.h>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::network {
namespace {

/// "nn.LeakyReLU(0.1)", "nn.SiLU()" … or nothing.
bool parse_activation(std::string_view text, Activation& activation) {
  if (text.rfind("nn.", 0) == 0) text.remove_prefix(3);
  const std::size_t open = text.find('(');
  if (open == std::string_view::npos || text.back() != ')') return false;
  const std::string_view name = text.substr(0, open),
                         inside = text::trim(text.substr(open + 1, text.size() - open - 2));
  if (name == "LeakyReLU") {
    const auto slope = inside.empty() ? std::optional<double>(0.01) : text::parse_double(inside);
    if (!slope || !(*slope >= 0 && *slope < 1)) return false;
    activation = {ActivationKind::leaky_relu, *slope};
    return true;
  }
  if (!inside.empty()) return false;
  if (name == "SiLU")
    activation = {ActivationKind::silu, 0};
  else if (name == "ReLU")
    activation = {ActivationKind::relu, 0};
  else if (name == "ReLU6")
    activation = {ActivationKind::relu6, 0};
  else if (name == "Identity")
    activation = {ActivationKind::identity, 0};
  else
    return false;
  return true;
}

}  // namespace

Argument parse_argument(const Value& value) {
  Argument argument;
  argument.place = &value;
  if (value.is_null()) return argument;
  if (value.is_sequence()) {
    argument.kind = Argument::Kind::list;
    for (const Value& element : value.sequence) argument.list.push_back(parse_argument(element));
    return argument;
  }
  if (!value.is_scalar())
    throw Error(fmt::format("{}: expected a plain argument, found a mapping", value.where()));
  argument.text = value.scalar;
  const std::string& text = value.scalar;
  const bool quoted_inside = text.size() >= 2 && (text.front() == '\'' || text.front() == '"') &&
                             text.back() == text.front();
  if (value.quoted || quoted_inside) {
    argument.kind = Argument::Kind::text;
    if (quoted_inside) argument.text = text.substr(1, text.size() - 2);
  } else if (const auto number = text::parse_double(text)) {
    argument.kind = Argument::Kind::number;
    argument.number = *number;
  } else if (text == "True" || text == "true" || text == "False" || text == "false") {
    argument.kind = Argument::Kind::boolean;
    argument.boolean = text[0] == 'T' || text[0] == 't';
  } else if (text == "None") {
    argument.kind = Argument::Kind::none;
  } else if (text == "nc") {
    argument.kind = Argument::Kind::class_count;
  } else if (text == "anchors") {
    argument.kind = Argument::Kind::anchors;
  } else if (text == "nearest") {
    argument.kind = Argument::Kind::text;
  } else if (parse_activation(text, argument.activation)) {
    argument.kind = Argument::Kind::activation;
  } else {
    throw Error(
        fmt::format("{}: expected a number, True, False, None, nc, anchors, quoted text or "
                    "nn.LeakyReLU(x), nn.SiLU(), nn.ReLU(), nn.ReLU6(), nn.Identity(), found '{}'",
                    value.where(), text::printable(text.substr(0, 200))));
  }
  return argument;
}

std::string describe(const Argument& a) {
  switch (a.kind) {
    case Argument::Kind::none: return "None";
    case Argument::Kind::number: return text::general(a.number);
    case Argument::Kind::boolean: return a.boolean ? "True" : "False";
    case Argument::Kind::list: {
      std::vector<std::string> parts;
      for (const Argument& element : a.list) parts.push_back(describe(element));
      return "[" + text::join(parts, ", ") + "]";
    }
    default: return text::printable(a.text.substr(0, 200));
  }
}

}  // namespace yolov7::network
