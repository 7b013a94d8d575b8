#pragma once
// How messages name a setting. The library knows its key in the settings tables (core/settings.hpp)
// and nothing of command lines; the program, which makes flags of those keys, says so once, and
// another front end may spell them in its own way. This holds for every message that names a
// setting: errors, warnings, advice.
#include <string>
#include <string_view>

namespace yolov7 {

using SettingSpelling = std::string (*)(std::string_view key);

/// From now on setting_name() is what `spelling` makes of the key. Returns the spelling before.
/// Null, and the state of a library that nobody configured: the key as it is.
SettingSpelling install_setting_spelling(SettingSpelling spelling);

/// "batch-size", or as the front end spells it: "--batch-size". `key`: a name of a settings table.
std::string setting_name(std::string_view key);

}  // namespace yolov7
