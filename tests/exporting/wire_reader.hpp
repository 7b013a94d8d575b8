#pragma once
// Reads protocol buffers: a few lines that share nothing with the writer.
#include <cstdint>
#include <cstring>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace yolov7::testing {

struct WireMessage {
  std::map<int, std::vector<std::string>> bytes;       // wire type 2
  std::map<int, std::vector<std::uint64_t>> integers;  // wire type 0
  std::map<int, std::vector<float>> reals;             // wire type 5
  std::map<int, std::vector<double>> doubles;          // wire type 1

  explicit WireMessage(std::string_view text) {
    std::size_t at = 0;
    const auto varint = [&] {
      std::uint64_t value = 0;
      for (int shift = 0;; shift += 7) {
        const auto byte = static_cast<std::uint8_t>(text.at(at++));
        value |= static_cast<std::uint64_t>(byte & 127) << shift;
        if (byte < 128) return value;
      }
    };
    while (at < text.size()) {
      const std::uint64_t key = varint();
      const int field = static_cast<int>(key >> 3);
      switch (key & 7) {
        case 0: integers[field].push_back(varint()); break;
        case 1: {
          double value = 0;
          std::memcpy(&value, text.substr(at, 8).data(), 8);
          doubles[field].push_back(value);
          at += 8;
          break;
        }
        case 2: {
          const std::uint64_t length = varint();
          if (length > text.size() - at) throw std::runtime_error("a length beyond the end");
          bytes[field].emplace_back(text.substr(at, length));
          at += length;
          break;
        }
        case 5: {
          float value = 0;
          std::memcpy(&value, text.substr(at, 4).data(), 4);
          reals[field].push_back(value);
          at += 4;
          break;
        }
        default: throw std::runtime_error("an unknown wire type");
      }
    }
  }
  std::vector<WireMessage> all(int field) const {
    std::vector<WireMessage> list;
    if (const auto found = bytes.find(field); found != bytes.end())
      for (const std::string& one : found->second) list.emplace_back(one);
    return list;
  }
  WireMessage one(int field) const { return WireMessage(bytes.at(field).at(0)); }
  std::vector<std::string> texts(int field) const {
    const auto found = bytes.find(field);
    return found == bytes.end() ? std::vector<std::string>() : found->second;
  }
  std::string text(int field) const { return bytes.at(field).at(0); }
  std::uint64_t integer(int field) const { return integers.at(field).at(0); }
  std::vector<std::uint64_t> all_integers(int field) const {
    const auto found = integers.find(field);
    return found == integers.end() ? std::vector<std::uint64_t>() : found->second;
  }
};

}  // namespace yolov7::testing
