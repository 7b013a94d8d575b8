// libyolov7 holds whole modules (src/CMakeLists.txt); CMake wants a source of its own for a
// library.
