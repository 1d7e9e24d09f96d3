# Debian's cross compiler for arm64: scripts/deps arm64 installs it, and the
# libraries. Programs of the build run by qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_STRIP aarch64-linux-gnu-strip)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
set(ENV{PKG_CONFIG_LIBDIR}
  /usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig)
find_program(WIMTRUST_QEMU NAMES qemu-aarch64-static qemu-aarch64)
if(WIMTRUST_QEMU)
  set(CMAKE_CROSSCOMPILING_EMULATOR "${WIMTRUST_QEMU}")
endif()
