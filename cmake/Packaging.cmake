# Debian packages by CPack: wimtrust (the program), libwimtrust0 (the shared
# library) and libwimtrust-dev.
#
#   cmake --preset package && cmake --build --preset package --target package
#
# Who builds them is named as maintainer: DEBFULLNAME and DEBEMAIL, as Debian's
# own tools have it.
set(soname_package "libwimtrust${PROJECT_VERSION_MAJOR}")
if(DEFINED ENV{DEBEMAIL})
  set(maintainer "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
else()
  set(maintainer "The wimtrust authors <wimtrust@localhost>")
endif()

# The packages of two Debian releases lie in one folder, and a new release's
# replace the old one's.
set(package_version "${PROJECT_VERSION}")
if(EXISTS /etc/os-release)
  file(STRINGS /etc/os-release os REGEX "^(ID|VERSION_ID)=")
  if(os MATCHES "ID=debian" AND os MATCHES "VERSION_ID=\"?([0-9]+)")
    string(APPEND package_version "+deb${CMAKE_MATCH_1}")
  endif()
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME wimtrust)
set(CPACK_PACKAGE_VERSION "${package_version}")
set(CPACK_PACKAGE_DIRECTORY "${CMAKE_BINARY_DIR}/packages")
set(CPACK_PACKAGING_INSTALL_PREFIX "${CMAKE_INSTALL_PREFIX}")
set(CPACK_COMPONENTS_ALL cli lib dev)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE
  WORLD_READ WORLD_EXECUTE)

# CPack asks dpkg, which knows the machine that builds.
execute_process(
  COMMAND "${CMAKE_C_COMPILER}" -dumpmachine
  OUTPUT_VARIABLE machine OUTPUT_STRIP_TRAILING_WHITESPACE)
execute_process(
  COMMAND dpkg-architecture -f -t "${machine}" -q DEB_HOST_ARCH
  OUTPUT_VARIABLE architecture OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(architecture)
  set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE "${architecture}")
endif()

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${maintainer}")
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# The symbols of older versions would do, their behaviour does not.
set(depends "libhivex0 (>= 1.3.22)")

set(CPACK_DEBIAN_CLI_PACKAGE_NAME wimtrust)
set(CPACK_DEBIAN_CLI_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_CLI_PACKAGE_DEPENDS "${depends}")
set(CPACK_DEBIAN_CLI_PACKAGE_SUGGESTS fuse3)
set(CPACK_COMPONENT_CLI_DESCRIPTION
"wimtrust changes which certificates Windows PE trusts, in the image that it
starts from (boot.wim): it needs no Windows, no mount and no privilege. It also
lists what an image trusts, and tells whether Windows started from it would
trust a given TLS server.")

set(CPACK_DEBIAN_LIB_PACKAGE_NAME "${soname_package}")
set(CPACK_DEBIAN_LIB_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIB_PACKAGE_DEPENDS "${depends}")
set(CPACK_DEBIAN_LIB_PACKAGE_CONTROL_EXTRA
  "${CMAKE_CURRENT_BINARY_DIR}/debian/shlibs"
  "${CMAKE_CURRENT_BINARY_DIR}/debian/triggers")
set(CPACK_COMPONENT_LIB_DESCRIPTION
"libwimtrust changes which certificates Windows PE trusts, in the image that it
starts from (boot.wim), and tells what an image trusts. This is the shared
library.")

set(CPACK_DEBIAN_DEV_PACKAGE_NAME libwimtrust-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS
  "${soname_package} (= ${package_version})")
set(CPACK_DEBIAN_DEV_PACKAGE_RECOMMENDS
  "libwim-dev, libhivex-dev, libssl-dev, libseccomp-dev, libudfread-dev, \
libarchive-dev, pkgconf")
set(CPACK_COMPONENT_DEV_DESCRIPTION
"The header, the static library, the pkg-config file and the CMake package of
libwimtrust. The recommended packages are needed to link the static library.")

# Debian's changelog: CHANGELOG.md has the content.
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
set(debian_changelog "${CMAKE_CURRENT_BINARY_DIR}/debian/changelog")
file(WRITE "${debian_changelog}"
"wimtrust (${package_version}) stable; urgency=medium

  * Version ${PROJECT_VERSION}; see CHANGELOG.md in the source.

 -- ${maintainer}  ${date}
")
file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/debian/triggers"
  "activate-noawait ldconfig\n")
file(WRITE "${CMAKE_CURRENT_BINARY_DIR}/debian/shlibs"
  "libwimtrust ${PROJECT_VERSION_MAJOR} ${soname_package} (>= ${PROJECT_VERSION})\n")

# What cmake/debian-staging.cmake, which CPack runs before it packs, wants to
# know.
set(CPACK_WIMTRUST_LIB_PACKAGE "${soname_package}")
set(CPACK_WIMTRUST_PACKAGES
  cli=wimtrust lib=${soname_package} dev=libwimtrust-dev)
set(CPACK_WIMTRUST_LICENSE "${PROJECT_SOURCE_DIR}/LICENSE")
set(CPACK_WIMTRUST_CHANGELOG "${debian_changelog}")
set(CPACK_WIMTRUST_STRIP "${CMAKE_STRIP}")
set(CPACK_PRE_BUILD_SCRIPTS
  "${CMAKE_CURRENT_LIST_DIR}/debian-staging.cmake")

include(CPack)
