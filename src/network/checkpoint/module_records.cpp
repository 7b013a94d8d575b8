#include "network/checkpoint/module_records.hpp"

#include <fmt/format.h>

#include <set>

#include "core/error.hpp"
#include "core/text.hpp"

namespace yolov7::network {
namespace {

using Kind = PickleValue::Kind;
constexpr int deepest = 32;
constexpr std::size_t most_modules = 100'000, most_tensors = 50'000, most_entries = 10'000,
                      most_visits = 2'000'000;

class Walk {
 public:
  explicit Walk(const std::string& source) : source_(source) {}

  void visit(const std::string& prefix, const PickleValue& module, int depth) {
    if (module.kind != Kind::module) fail(prefix, "expected a module, found another value");
    if (depth > deepest || ++visited_ > most_modules)
      fail(prefix, "modules are nested too deeply, or too many");
    count(module.dictionary.size(), prefix);
    for (const auto& [name, value] : part(module, "_parameters", prefix))
      add(prefix, name->text, *value);
    std::set<std::string_view> temporary;
    if (const PickleValue* names = module.find("_non_persistent_buffers_set")) {
      count(names->sequence.size(), prefix);
      for (const PickleValue* name : names->sequence) temporary.insert(name->text);
    }
    for (const auto& [name, value] : part(module, "_buffers", prefix))
      if (temporary.count(name->text) == 0) add(prefix, name->text, *value);
    for (const auto& [name, child] : part(module, "_modules", prefix))
      if (child->kind != Kind::none)
        visit(prefix + checked(name->text, prefix) + ".", *child, depth + 1);
  }

  std::vector<std::pair<std::string, const TensorClaim*>> found;

 private:
  [[noreturn]] void fail(const std::string& prefix, const std::string& reason) const {
    throw Error(fmt::format("{}: module '{}': {}", source_, text::printable(prefix), reason));
  }

  /// Modules may share their attributes, so that a small file can have many entries walked.
  void count(std::size_t entries, const std::string& prefix) {
    visits_ += entries;
    if (entries > most_entries || visits_ > most_visits) fail(prefix, "too many attributes");
  }

  const std::vector<PickleValue::Pair>& part(const PickleValue& module, std::string_view name,
                                             const std::string& prefix) {
    static const std::vector<PickleValue::Pair> none;
    const PickleValue* value = module.find(name);
    if (value == nullptr) return none;
    if (value->kind != Kind::dictionary)
      fail(prefix, fmt::format("expected a dictionary {}, found another value", name));
    count(value->dictionary.size(), prefix);
    for (const auto& pair : value->dictionary)
      if (pair.first->kind != Kind::text)
        fail(prefix, fmt::format("expected texts as keys of {}, found another value", name));
    return value->dictionary;
  }

  const std::string& checked(const std::string& name, const std::string& prefix) const {
    if (name.empty() || name.size() > 200)
      fail(prefix, fmt::format("expected names of 1 to 200 bytes, found one of {}", name.size()));
    return name;
  }

  void add(const std::string& prefix, const std::string& name, const PickleValue& value) {
    if (value.kind == Kind::none) return;
    if (value.kind != Kind::tensor)
      fail(prefix,
           fmt::format("expected '{}' to be a tensor, found another value", text::printable(name)));
    if (found.size() >= most_tensors) fail(prefix, "too many tensors");
    found.emplace_back(prefix + checked(name, prefix), value.tensor.get());
  }

  const std::string& source_;
  std::size_t visited_ = 0, visits_ = 0;
};

}  // namespace

std::vector<std::pair<std::string, const TensorClaim*>> named_tensors(const PickleValue& module,
                                                                      const std::string& source) {
  Walk walk(source);
  walk.visit("", module, 0);
  return std::move(walk.found);
}

const PickleValue& unwrapped(const PickleValue& module) {
  const PickleValue* inner =
      module.text.rfind("torch.nn.parallel.", 0) == 0 ? find_module(module, "module") : nullptr;
  return inner == nullptr ? module : *inner;
}

const PickleValue* find_module(const PickleValue& module, std::string_view path) {
  const PickleValue* at = &module;
  for (const std::string_view part : text::split(path, '.')) {
    const PickleValue* children = at->find("_modules");
    at = children == nullptr ? nullptr : children->find(part);
    if (at == nullptr || at->kind != Kind::module) return nullptr;
  }
  return at;
}

std::string_view class_name(const PickleValue& module) {
  const std::string_view path = module.text;
  return path.substr(path.find_last_of('.') + 1);  // npos + 1 is 0
}

}  // namespace yolov7::network
