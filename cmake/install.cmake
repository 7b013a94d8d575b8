# cmake --install: a folder that may be moved. bin/, lib/, share/yolov7/ as in the build folder; OpenVINO's libraries in lib/yolov7/.
# Components: program (with manual pages and the completion of three shells), training, development (headers, find_package(yolov7)), libtorch.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(private_libraries lib/yolov7)

set_target_properties(yolov7-program PROPERTIES INSTALL_RPATH "$ORIGIN/../lib")
set_target_properties(yolov7 PROPERTIES INSTALL_RPATH "$ORIGIN:$ORIGIN/yolov7")
install(TARGETS yolov7-program RUNTIME DESTINATION bin COMPONENT program)
install(TARGETS yolov7 LIBRARY DESTINATION lib COMPONENT program)
install(TARGETS yolov7-c LIBRARY DESTINATION lib COMPONENT program NAMELINK_COMPONENT development)
install(DIRECTORY ${CMAKE_BINARY_DIR}/share/yolov7 DESTINATION share COMPONENT program)
install(FILES LICENSE NOTICE THIRD_PARTY.md DESTINATION share/doc/yolov7 COMPONENT program)
if(TARGET yolov7-video)
  set_target_properties(yolov7-video PROPERTIES INSTALL_RPATH "$ORIGIN:$ORIGIN/yolov7")
  install(TARGETS yolov7-video LIBRARY DESTINATION lib COMPONENT program OPTIONAL)
endif()
# LibTorch, 1 GB, is copied where the component is asked for; else it is found where it was found when these were built.
foreach(library yolov7-training yolov7-cuda)
  if(TARGET ${library})
    set_target_properties(${library} PROPERTIES INSTALL_RPATH "$ORIGIN:$ORIGIN/yolov7" INSTALL_RPATH_USE_LINK_PATH ON)
    install(TARGETS ${library} LIBRARY DESTINATION lib COMPONENT training OPTIONAL)  # what was not built is left out
  endif()
endforeach()
if(TARGET yolov7-training)
  install(DIRECTORY ${TORCH_DIR}/lib/ DESTINATION ${private_libraries} COMPONENT libtorch EXCLUDE_FROM_ALL FILES_MATCHING PATTERN "lib*.so*" PATTERN "*python*" EXCLUDE)
endif()
if(YOLOV7_OPENVINO)
  # Its processor plugin and the formats that are read; it finds both beside itself.
  get_target_property(openvino_library openvino::runtime LOCATION)
  get_filename_component(openvino_folder ${openvino_library} DIRECTORY)
  install(DIRECTORY ${openvino_folder}/ DESTINATION ${private_libraries} COMPONENT program FILES_MATCHING
    PATTERN "libopenvino.so*" PATTERN "libopenvino_intel_cpu_plugin.so" PATTERN "libopenvino_ir_frontend.so*" PATTERN "libopenvino_onnx_frontend.so*"
    PATTERN "libopenvino_tensorflow_frontend.so*" PATTERN "libopenvino_tensorflow_lite_frontend.so*" PATTERN "libtbb.so*")
endif()

install(DIRECTORY include/yolov7 DESTINATION include COMPONENT development)
# Written by hand, since CMake's own export would want every private library of libyolov7-c exported, too.
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/yolov7Config.cmake CONTENT "# yolov7::yolov7: the interface of yolov7/yolov7.h and yolov7/yolov7.hpp.
if(NOT TARGET yolov7::yolov7)
  get_filename_component(yolov7_prefix \${CMAKE_CURRENT_LIST_DIR}/../../.. ABSOLUTE)
  add_library(yolov7::yolov7 SHARED IMPORTED)
  set_target_properties(yolov7::yolov7 PROPERTIES IMPORTED_LOCATION \${yolov7_prefix}/lib/$<TARGET_FILE_NAME:yolov7-c> IMPORTED_SONAME $<TARGET_SONAME_FILE_NAME:yolov7-c>
    INTERFACE_INCLUDE_DIRECTORIES \${yolov7_prefix}/include)
endif()
")
write_basic_package_version_file(${CMAKE_BINARY_DIR}/yolov7ConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/yolov7Config.cmake ${CMAKE_BINARY_DIR}/yolov7ConfigVersion.cmake DESTINATION lib/cmake/yolov7 COMPONENT development)

# Written by the program itself, from its tables.
install(CODE [[set(share "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/share")]] COMPONENT program)
install(CODE "set(installed_from \"$<TARGET_FILE:yolov7-program>\")" COMPONENT program)
install(CODE [[
  function(written_by_program file)
    cmake_path(GET file PARENT_PATH folder)
    file(MAKE_DIRECTORY ${folder})
    execute_process(COMMAND ${installed_from} ${ARGN} OUTPUT_FILE ${file} RESULT_VARIABLE code)
    if(NOT code EQUAL 0)
      message(FATAL_ERROR "${installed_from} ${ARGN}: ${code}")
    endif()
    message(STATUS "Written: ${file}")
  endfunction()
  written_by_program(${share}/bash-completion/completions/yolov7 completion bash)
  written_by_program(${share}/zsh/site-functions/_yolov7 completion zsh)
  written_by_program(${share}/fish/vendor_completions.d/yolov7.fish completion fish)
  execute_process(COMMAND ${installed_from} man --out ${share}/man/man1 RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${installed_from} man --out ${share}/man/man1: ${code}")
  endif()
]] COMPONENT program)
