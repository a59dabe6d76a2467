# BDWgc::gc, BDWgc::gccpp and BDWgc::gctba: this collector behind the functions of bdwgc.
#
# find_package(BDWgc) finds it when CMAKE_PREFIX_PATH has lib/gleaner/libgc below the prefix.
get_filename_component(_gleaner_libgc "${CMAKE_CURRENT_LIST_DIR}/.." ABSOLUTE)
get_filename_component(_gleaner_prefix "${_gleaner_libgc}/../../.." ABSOLUTE)

foreach(_gleaner_name gc gccpp gctba)
  if(NOT TARGET BDWgc::${_gleaner_name})
    add_library(BDWgc::${_gleaner_name} SHARED IMPORTED)
    set_target_properties(BDWgc::${_gleaner_name} PROPERTIES
      IMPORTED_LOCATION "${_gleaner_libgc}/lib${_gleaner_name}.so.1"
      IMPORTED_SONAME "lib${_gleaner_name}.so.1"
      INTERFACE_INCLUDE_DIRECTORIES "${_gleaner_prefix}/include/gleaner/libgc")
  endif()
endforeach()
set_target_properties(BDWgc::gccpp PROPERTIES INTERFACE_LINK_LIBRARIES BDWgc::gc)
set_target_properties(BDWgc::gctba PROPERTIES INTERFACE_LINK_LIBRARIES BDWgc::gc)

set(BDWgc_FOUND TRUE)
unset(_gleaner_libgc)
unset(_gleaner_prefix)
unset(_gleaner_name)
