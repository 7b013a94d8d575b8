#pragma once
// The numbers of a record as columns of a table that is written and read back.
#include <functional>
#include <type_traits>

namespace yolov7::run {

template <class Record>
struct CsvColumn {
  const char* name;
  std::function<double(const Record&)> get;
  std::function<void(Record&, double)> set;
};

/// `member`: a function from Record& to a reference to one of its numbers or switches.
template <class Record, class Member>
CsvColumn<Record> csv_column(const char* name, Member member) {
  return {name,
          [member](const Record& r) { return static_cast<double>(member(const_cast<Record&>(r))); },
          [member](Record& r, double v) {
            auto& target = member(r);
            target = static_cast<std::remove_reference_t<decltype(target)>>(v);
          }};
}

}  // namespace yolov7::run
