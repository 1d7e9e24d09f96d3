#!/bin/bash -eu
# Builds the fuzzers as OSS-Fuzz asks for it: with $CC, $CXX, $CFLAGS, $CXXFLAGS
# and $LIB_FUZZING_ENGINE from $SRC/wimtrust, in $WORK, into $OUT. Each gets its
# options, dictionary and seeds, and all get the libraries that the runner has
# not.
source=$SRC/wimtrust
build=${WORK:-/tmp}/wimtrust

cmake -S "$source" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug \
	-DCMAKE_C_FLAGS_DEBUG= -DCMAKE_CXX_FLAGS_DEBUG= \
	-DWIMTRUST_FUZZ_ENGINE="$LIB_FUZZING_ENGINE" \
	-DCMAKE_BUILD_RPATH="\$ORIGIN/lib" \
	-DCMAKE_EXE_LINKER_FLAGS=-Wl,--disable-new-dtags
cmake --build "$build" --target fuzzers

mkdir -p "$OUT/lib"
cp "$build"/tests/fuzz/*.dict "$build"/tests/fuzz/fuzz_*.options "$OUT/"
for options in "$build"/tests/fuzz/fuzz_*.options; do
	fuzzer=${options%.options}
	name=${fuzzer##*/fuzz_}
	cp "$fuzzer" "$OUT/"
	# The C library, and what comes with it, is the runner's.
	ldd "$fuzzer" | awk '$3 ~ /^\// { print $3 }' |
		grep -vE '/(libc|libm|libdl|libpthread|librt|libresolv)\.so' |
		xargs -r cp -L -t "$OUT/lib"
	rm -rf "$build/seeds"
	mkdir "$build/seeds"
	for folder in "$source/tests/fuzz/corpus/$name" \
		"$build/tests/fuzz/seeds/$name"; do
		[ ! -d "$folder" ] || cp -r "$folder/." "$build/seeds/"
	done
	rm -f "$OUT/fuzz_${name}_seed_corpus.zip"
	(cd "$build/seeds" && zip -qr "$OUT/fuzz_${name}_seed_corpus.zip" .)
done
