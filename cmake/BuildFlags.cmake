# Warnings, sanitizers and hardening, in one target that our own targets link.
include(CheckCCompilerFlag)
include(CheckPIESupported)

# Not with -static-pie, which -pie would undo.
if(NOT WIMTRUST_STATIC)
  check_pie_supported(LANGUAGES C)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

add_library(wimtrust_flags INTERFACE)

target_compile_features(wimtrust_flags INTERFACE c_std_11)
target_compile_definitions(wimtrust_flags INTERFACE
  _GNU_SOURCE
  _FILE_OFFSET_BITS=64
  OPENSSL_API_COMPAT=30000
  OPENSSL_NO_DEPRECATED
  WT_VERSION="${PROJECT_VERSION}")
target_compile_options(wimtrust_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow
  -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
  -Wcast-align -Wpointer-arith -Wwrite-strings -Wundef -Wvla
  -Wimplicit-fallthrough -Wnull-dereference -Wdouble-promotion
  $<$<BOOL:${WIMTRUST_WERROR}>:-Werror>)

if(WIMTRUST_SANITIZE)
  target_compile_options(wimtrust_flags INTERFACE
    -fsanitize=${WIMTRUST_SANITIZE} -fno-omit-frame-pointer
    -fno-sanitize-recover=all)
  target_link_options(wimtrust_flags INTERFACE
    -fsanitize=${WIMTRUST_SANITIZE})
else()
  # What the OpenSSF compiler guide has for release builds, as far as the
  # compiler knows it: the two that are asked for differ by architecture and
  # version.
  target_compile_options(wimtrust_flags INTERFACE
    -fstack-protector-strong -Werror=format-security)
  set(hardening
    -fstack-clash-protection -fno-strict-overflow -fno-strict-aliasing
    -fno-delete-null-pointer-checks -ftrivial-auto-var-init=zero
    -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3)
  foreach(flag -fcf-protection=full -mbranch-protection=standard
      -fstrict-flex-arrays=3)
    string(MAKE_C_IDENTIFIER "WIMTRUST_HAS${flag}" has)
    check_c_compiler_flag(${flag} ${has})
    if(${has})
      list(APPEND hardening ${flag})
    endif()
  endforeach()
  target_compile_options(wimtrust_flags INTERFACE
    "$<$<NOT:$<CONFIG:Debug>>:${hardening}>")
  target_link_options(wimtrust_flags INTERFACE
    -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed)
endif()

# Coverage for libFuzzer in all that we compile; its main() is linked into the
# fuzzers alone.
if(WIMTRUST_FUZZ)
  target_compile_options(wimtrust_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
