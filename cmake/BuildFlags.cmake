# Warnings, sanitizers and hardening, in one target that our own targets link.
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
  target_compile_options(wimtrust_flags INTERFACE
    -fstack-protector-strong
    $<$<NOT:$<CONFIG:Debug>>:-fstack-clash-protection>
    $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE>
    $<$<NOT:$<CONFIG:Debug>>:-D_FORTIFY_SOURCE=2>)
  target_link_options(wimtrust_flags INTERFACE
    -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
endif()

# Coverage for libFuzzer in all that we compile; its main() is linked into the
# fuzzers alone.
if(WIMTRUST_FUZZ)
  target_compile_options(wimtrust_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
