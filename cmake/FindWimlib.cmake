# Finds wimlib by its header and library. Its pkg-config file cannot be used:
# it privately requires libntfs-3g and fuse, whose files a machine that only
# builds against the shared library does not have, and names a wrong version.
#
# Defines Wimlib::Wimlib, Wimlib_FOUND and Wimlib_VERSION.
find_path(Wimlib_INCLUDE_DIR wimlib.h)
find_library(Wimlib_LIBRARY wim)

if(Wimlib_INCLUDE_DIR)
  set(Wimlib_VERSION "")
  foreach(part MAJOR MINOR PATCH)
    file(STRINGS "${Wimlib_INCLUDE_DIR}/wimlib.h" line
      REGEX "^#define WIMLIB_${part}_VERSION +[0-9]+")
    string(REGEX REPLACE ".* ([0-9]+).*" "\\1" number "${line}")
    list(APPEND Wimlib_VERSION "${number}")
  endforeach()
  list(JOIN Wimlib_VERSION "." Wimlib_VERSION)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Wimlib
  REQUIRED_VARS Wimlib_LIBRARY Wimlib_INCLUDE_DIR
  VERSION_VAR Wimlib_VERSION)

if(Wimlib_FOUND AND NOT TARGET Wimlib::Wimlib)
  add_library(Wimlib::Wimlib UNKNOWN IMPORTED)
  set_target_properties(Wimlib::Wimlib PROPERTIES
    IMPORTED_LOCATION "${Wimlib_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${Wimlib_INCLUDE_DIR}")
endif()
mark_as_advanced(Wimlib_INCLUDE_DIR Wimlib_LIBRARY)
