# What Debian wants in a package besides what is installed: compressed manual
# pages, copyright and changelog, and no debug information in static libraries.
foreach(pair IN LISTS CPACK_WIMTRUST_PACKAGES)
  string(REPLACE "=" ";" pair "${pair}")
  list(GET pair 0 component)
  list(GET pair 1 package)
  set(share
    "${CPACK_TEMPORARY_DIRECTORY}/${component}${CPACK_PACKAGING_INSTALL_PREFIX}/share")
  set(doc "${share}/doc/${package}")
  file(MAKE_DIRECTORY "${doc}")
  configure_file("${CPACK_WIMTRUST_LICENSE}" "${doc}/copyright" COPYONLY)
  configure_file("${CPACK_WIMTRUST_CHANGELOG}" "${doc}/changelog" COPYONLY)
  file(GLOB pages "${share}/man/man?/*.[0-9]")
  execute_process(
    COMMAND gzip -9n "${doc}/changelog" ${pages}
    COMMAND_ERROR_IS_FATAL ANY)
endforeach()

# In Debian the license is the file copyright; links lead to it all the same.
file(GLOB license "${CPACK_TEMPORARY_DIRECTORY}/cli/*/share/doc/*/LICENSE")
file(CREATE_LINK copyright "${license}" SYMBOLIC)

file(GLOB_RECURSE archives "${CPACK_TEMPORARY_DIRECTORY}/*.a")
execute_process(
  COMMAND "${CPACK_WIMTRUST_STRIP}" --strip-debug
    --remove-section=.comment --remove-section=.note
    --enable-deterministic-archives ${archives}
  COMMAND_ERROR_IS_FATAL ANY)

# CPack gives every package with a shared library scripts that call ldconfig,
# and has no switch for it; they do what the trigger does again, and no harm.
set(overrides
  "${CPACK_TEMPORARY_DIRECTORY}/lib${CPACK_PACKAGING_INSTALL_PREFIX}/share/lintian/overrides")
file(WRITE "${overrides}/${CPACK_WIMTRUST_LIB_PACKAGE}"
  "# CPack writes these scripts, and has no switch for it.\n"
  "maintscript-calls-ldconfig [postinst]\n"
  "maintscript-calls-ldconfig [postrm]\n")
