# What `cmake --install` puts where. The tree can be moved as a whole: nothing
# in it names the prefix. Manual pages: docs/man.
install(TARGETS wimtrust_cli RUNTIME COMPONENT cli)

# The documents, as they lie here, so that their links lead to each other.
install(FILES README.md SECURITY.md CHANGELOG.md CONTRIBUTING.md LICENSE
  DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT cli)
install(FILES ansible/README.md
  DESTINATION "${CMAKE_INSTALL_DOCDIR}/ansible" COMPONENT cli)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/docs"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT cli
  FILES_MATCHING PATTERN "*.md" PATTERN "*.schema.json" PATTERN "*.svg"
  PATTERN man EXCLUDE PATTERN ci EXCLUDE PATTERN examples EXCLUDE)
install(DIRECTORY "${PROJECT_SOURCE_DIR}/docs/examples"
  DESTINATION "${CMAKE_INSTALL_DOCDIR}/docs" COMPONENT dev)

# Completions are what the program itself says, so they cannot lag behind.
set(WIMTRUST_ZSH_DIR "${CMAKE_INSTALL_DATADIR}/zsh/site-functions" CACHE STRING
  "Where zsh looks for completions")
set(completions "${CMAKE_CURRENT_BINARY_DIR}/completions")
file(MAKE_DIRECTORY "${completions}")
foreach(where
    "bash=wimtrust=${CMAKE_INSTALL_DATADIR}/bash-completion/completions"
    "zsh=_wimtrust=${WIMTRUST_ZSH_DIR}"
    "fish=wimtrust.fish=${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d")
  string(REPLACE "=" ";" where "${where}")
  list(GET where 0 shell)
  list(GET where 1 name)
  list(GET where 2 folder)
  set(made "${completions}/${name}")
  add_custom_command(OUTPUT "${made}"
    COMMAND wimtrust_cli completion ${shell} > "${made}"
    DEPENDS wimtrust_cli VERBATIM)
  list(APPEND completion_files "${made}")
  install(FILES "${made}" DESTINATION "${folder}" COMPONENT cli)
endforeach()
add_custom_target(completions ALL DEPENDS ${completion_files})

if(PROJECT_IS_TOP_LEVEL)
  add_custom_target(uninstall
    COMMAND xargs -d "\\n" rm -fv < install_manifest.txt
    COMMAND sed -En "s,(.*/wimtrust(/.*)?)/[^/]*$,\\1,p" install_manifest.txt |
      sort -ru |
      xargs -rd "\\n" rmdir -v --ignore-fail-on-non-empty
    WORKING_DIRECTORY "${CMAKE_BINARY_DIR}" VERBATIM
    COMMENT "Removing what install_manifest.txt lists")
endif()

# The library.
set(cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/wimtrust")

# From the folder of wimtrust.pc up to the prefix.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
  set(WT_PC_PREFIX "${CMAKE_INSTALL_PREFIX}")
else()
  file(RELATIVE_PATH up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
  string(REGEX REPLACE "/$" "" up "${up}")
  set(WT_PC_PREFIX "\${pcfiledir}/${up}")
endif()
set(WT_PC_ISO "")
if(WIMTRUST_ISO)
  set(WT_PC_ISO " -ludfread -larchive")
endif()
configure_file("${CMAKE_CURRENT_LIST_DIR}/wimtrust.pc.in"
  "${CMAKE_CURRENT_BINARY_DIR}/wimtrust.pc" @ONLY)
configure_package_config_file(
  "${CMAKE_CURRENT_LIST_DIR}/wimtrust-config.cmake.in"
  "${CMAKE_CURRENT_BINARY_DIR}/wimtrust-config.cmake"
  INSTALL_DESTINATION "${cmake_dir}"
  NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(
  "${CMAKE_CURRENT_BINARY_DIR}/wimtrust-config-version.cmake"
  COMPATIBILITY SameMinorVersion)

install(TARGETS wimtrust_shared EXPORT wimtrust-shared
  LIBRARY COMPONENT lib NAMELINK_COMPONENT dev)
install(TARGETS wimtrust_static EXPORT wimtrust-static
  ARCHIVE COMPONENT dev)
# Two files: who links the shared library needs none of the packages that the
# static one is linked with.
foreach(kind shared static)
  install(EXPORT wimtrust-${kind} NAMESPACE wimtrust::
    DESTINATION "${cmake_dir}" COMPONENT dev)
endforeach()
install(FILES
  "${CMAKE_CURRENT_BINARY_DIR}/wimtrust-config.cmake"
  "${CMAKE_CURRENT_BINARY_DIR}/wimtrust-config-version.cmake"
  "${CMAKE_CURRENT_LIST_DIR}/FindWimlib.cmake"
  DESTINATION "${cmake_dir}" COMPONENT dev)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/wimtrust.pc"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig" COMPONENT dev)
install(FILES "${PROJECT_SOURCE_DIR}/include/wimtrust/error.h"
  "${PROJECT_SOURCE_DIR}/include/wimtrust/wimtrust.h"
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/wimtrust" COMPONENT dev)
