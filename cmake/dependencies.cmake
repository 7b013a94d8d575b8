# Third parties. LibTorch and OpenVINO come from the wheels that scripts/setup unpacks, or from the user
# (-DTORCH_DIR=<folder with include/ and lib/>, -DOpenVINO_DIR=<folder with OpenVINOConfig.cmake>).
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
# Debian's libopencv-{core,imgproc}-dev bring no OpenCVConfig.cmake (that is in libopencv-dev, with 139 further packages).
find_path(OPENCV_INCLUDE opencv2/core.hpp PATH_SUFFIXES opencv4 REQUIRED)
foreach(part core imgproc)
  find_library(OPENCV_${part}_LIBRARY opencv_${part} REQUIRED)
  add_library(opencv_${part} INTERFACE)
  target_include_directories(opencv_${part} SYSTEM INTERFACE ${OPENCV_INCLUDE})
  target_link_libraries(opencv_${part} INTERFACE ${OPENCV_${part}_LIBRARY})
endforeach()
find_package(yaml-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(fmt REQUIRED)
find_package(JPEG REQUIRED)
find_package(PNG REQUIRED)
find_package(TIFF REQUIRED)
# Text in images: the glyphs, and which of them stand where in any script.
pkg_check_modules(LETTERING REQUIRED IMPORTED_TARGET freetype2 harfbuzz raqm)
pkg_check_modules(WEBP REQUIRED IMPORTED_TARGET libwebp)
pkg_check_modules(PUGIXML REQUIRED IMPORTED_TARGET pugixml)
pkg_check_modules(LIBZIP REQUIRED IMPORTED_TARGET libzip)
pkg_check_modules(HTTPLIB REQUIRED IMPORTED_TARGET cpp-httplib)
find_package(SQLite3 REQUIRED)
find_package(simdjson REQUIRED)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)

if(YOLOV7_VIDEO)
  pkg_check_modules(FFMPEG REQUIRED IMPORTED_TARGET libavformat libavcodec libavdevice libavutil libswscale)
endif()

if(YOLOV7_OPENVINO)
  if(NOT OpenVINO_DIR)
    set(OpenVINO_DIR ${YOLOV7_DEPS_DIR}/openvino/cmake)
  endif()
  find_package(OpenVINO REQUIRED COMPONENTS Runtime)
endif()

if(YOLOV7_TRAINING)
  # find_package(Torch) of the CUDA wheel insists on a CUDA compiler, so the target is made here.
  set(TORCH_DIR "${YOLOV7_DEPS_DIR}/torch" CACHE PATH "LibTorch: the folder that holds include/ and lib/")
  find_library(TORCH_CPU_LIBRARY torch_cpu PATHS ${TORCH_DIR}/lib NO_DEFAULT_PATH)
  find_library(C10_LIBRARY c10 PATHS ${TORCH_DIR}/lib NO_DEFAULT_PATH)
  if(NOT TORCH_CPU_LIBRARY OR NOT C10_LIBRARY)
    message(FATAL_ERROR "LibTorch: expected ${TORCH_DIR}/lib/libtorch_cpu.so, found none. "
                        "Run scripts/setup, give -DTORCH_DIR=..., or build without training: -DYOLOV7_TRAINING=OFF")
  endif()
  add_library(LibTorch INTERFACE)
  # LibTorch's include folder holds another version of {fmt} than the library that all else links. A folder before it, with nothing but {fmt},
  # makes it one for all: compiling a second one into each file took a third of the time of each.
  find_path(FMT_INCLUDE fmt/format.h REQUIRED)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/include)
  file(CREATE_LINK ${FMT_INCLUDE}/fmt ${CMAKE_BINARY_DIR}/include/fmt SYMBOLIC)
  target_include_directories(LibTorch SYSTEM INTERFACE ${CMAKE_BINARY_DIR}/include
    ${TORCH_DIR}/include ${TORCH_DIR}/include/torch/csrc/api/include)
  # at::parallel_for is a template of the headers: compiled without OpenMP it runs on one thread, silently. The runtime is LibTorch's own, so that
  # both share one pool of threads. That runtime is GCC's, for which clang makes no code.
  target_link_libraries(LibTorch INTERFACE ${TORCH_CPU_LIBRARY} ${C10_LIBRARY})
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    find_library(TORCH_OPENMP_LIBRARY NAMES libgomp.so.1 PATHS ${TORCH_DIR}/lib NO_DEFAULT_PATH REQUIRED)
    target_compile_options(LibTorch INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-fopenmp>)
    target_link_libraries(LibTorch INTERFACE ${TORCH_OPENMP_LIBRARY})
  else()
    message(WARNING "${CMAKE_CXX_COMPILER_ID}: training's own kernels run on one thread; GCC gives them all")
    target_compile_definitions(LibTorch INTERFACE YOLOV7_ONE_THREAD)
  endif()
  # Several processes: c10d with Gloo is inside LibTorch, its headers include Gloo's (libgloo-dev).
  find_path(GLOO_INCLUDE gloo/context.h)
  if(NOT GLOO_INCLUDE)
    message(STATUS "gloo/context.h not found: training by several processes is left out")
  endif()
endif()
