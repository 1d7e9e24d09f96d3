# What `cmake --install` puts where.
configure_file("${CMAKE_CURRENT_SOURCE_DIR}/cmake/wimtrust.pc.in"
  "${CMAKE_CURRENT_BINARY_DIR}/wimtrust.pc" @ONLY)
configure_package_config_file(
  "${CMAKE_CURRENT_SOURCE_DIR}/cmake/wimtrust-config.cmake.in"
  "${CMAKE_CURRENT_BINARY_DIR}/wimtrust-config.cmake"
  INSTALL_DESTINATION "${CMAKE_INSTALL_LIBDIR}/cmake/wimtrust")
write_basic_package_version_file(
  "${CMAKE_CURRENT_BINARY_DIR}/wimtrust-config-version.cmake"
  COMPATIBILITY SameMinorVersion)

install(TARGETS wimtrust_cli RUNTIME)
install(TARGETS wimtrust_static wimtrust_shared wimtrust_flags
  EXPORT wimtrust-targets)
install(FILES include/wimtrust/wimtrust.h
  DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/wimtrust")
