#pragma once
// The options of an export as a settings table.
#include "core/settings.hpp"
#include "exporting/export_options.hpp"

namespace yolov7::exporting {

Settings settings(ExportOptions& options);

}  // namespace yolov7::exporting
