#pragma once
// Visiting a std::variant with one function per alternative. A missing one does not compile.
#include <concepts>
#include <type_traits>

namespace yolov7 {

/// std::visit(Overloaded{[](const A&) {}, [](const B&) {}}, variant)
template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

/// One function for several alternatives, each named: [](const OneOf<A, B> auto& either) {}
template <class T, class... Types>
concept OneOf = (std::same_as<std::remove_cvref_t<T>, Types> || ...);

}  // namespace yolov7
