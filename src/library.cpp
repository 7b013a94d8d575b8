// libyolov7 is made of the module libraries; this file gives the shared library a source of its
// own.
namespace yolov7 {
extern const char* const library_version;
const char* const library_version = "0.1.0";
}  // namespace yolov7
