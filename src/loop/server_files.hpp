#pragma once
// What the places on servers share.
#include <filesystem>
#include <stop_token>
#include <string>

#include "dataset/formats/conversion.hpp"
#include "loop/answers.hpp"
#include "loop/place.hpp"
#include "platforms/journal.hpp"

namespace yolov7::loop {

/// journal.sqlite of the loop.
platforms::Journal journal_of(const PlaceRound& round, const std::string& place);
/// A folder of the round that does not exist: what an earlier call left there is removed.
std::filesystem::path fresh_folder(const PlaceRound& round, const std::string& name);
/// What was left out, as notes: shapes that are no boxes, and what could not be read.
void add_drops(const dataset::Conversion& account, Answers& answers);
/// Reads a folder with images and YOLO labels, and takes the answers. An image of which a row was
/// left out stays open.
void take_folder(const std::filesystem::path& folder, const PlaceRound& round, KeyOf key_of,
                 const std::stop_token& stop, Answers& answers);

}  // namespace yolov7::loop
