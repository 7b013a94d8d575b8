#pragma once
// What a model that a server runs needs from the program: a key, and the end that the user asks
// for.
#include "api/model.hpp"

namespace yolov7::cli {

/// For the addresses among the weights: the key of $YOLOV7_SERVER_KEY, or of the line "inference
/// ORIGIN KEY" of the credentials file (platforms/credentials.hpp), where there is one. Errors: an
/// address of another form; those of the credentials.
void take_server_access(api::ModelOptions& model);

}  // namespace yolov7::cli
