# cmake --install build/release --prefix DIR: the program, its libraries, what is delivered beside them, manual pages and the completion of three shells.
# OpenVINO and LibTorch are not copied: the libraries find them where they were found when they were built.
set_target_properties(yolov7-program PROPERTIES INSTALL_RPATH $ORIGIN/../lib)
install(TARGETS yolov7-program RUNTIME DESTINATION bin)
foreach(library yolov7 yolov7-training yolov7-cuda yolov7-video)
  if(TARGET ${library})
    set_target_properties(${library} PROPERTIES INSTALL_RPATH $ORIGIN INSTALL_RPATH_USE_LINK_PATH ON)
    install(TARGETS ${library} LIBRARY DESTINATION lib OPTIONAL)  # what was not built is left out
  endif()
endforeach()
install(DIRECTORY ${CMAKE_BINARY_DIR}/share/yolov7 DESTINATION share)
install(FILES LICENSE NOTICE THIRD_PARTY.md DESTINATION share/doc/yolov7)

# Written by the program itself, from its tables.
install(CODE [[set(share "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/share")]])
install(CODE "set(program \"$<TARGET_FILE:yolov7-program>\")")
install(CODE [[
  function(written_by_program file)
    cmake_path(GET file PARENT_PATH folder)
    file(MAKE_DIRECTORY ${folder})
    execute_process(COMMAND ${program} ${ARGN} OUTPUT_FILE ${file} RESULT_VARIABLE code)
    if(NOT code EQUAL 0)
      message(FATAL_ERROR "${program} ${ARGN}: ${code}")
    endif()
    message(STATUS "Written: ${file}")
  endfunction()
  written_by_program(${share}/bash-completion/completions/yolov7 completion bash)
  written_by_program(${share}/zsh/site-functions/_yolov7 completion zsh)
  written_by_program(${share}/fish/vendor_completions.d/yolov7.fish completion fish)
  execute_process(COMMAND ${program} man --out ${share}/man/man1 RESULT_VARIABLE code)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${program} man --out ${share}/man/man1: ${code}")
  endif()
]])
