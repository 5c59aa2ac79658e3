# Fuzz targets. With --enable-fuzzing libFuzzer drives them (tests/fuzz/run); in every other build
# `make check` replays their corpora.
fuzz_targets = \
	tests/fuzz/fuzz_conf \
	tests/fuzz/fuzz_head \
	tests/fuzz/fuzz_http \
	tests/fuzz/fuzz_image \
	tests/fuzz/fuzz_json \
	tests/fuzz/fuzz_multipart
check_PROGRAMS += $(fuzz_targets)
EXTRA_DIST += tests/fuzz/corpus tests/fuzz/coverage tests/fuzz/run

if FUZZING
fuzz_main = tests/fuzz/fuzz.h
fuzz_ldflags = $(AM_LDFLAGS) -fsanitize=fuzzer
else
fuzz_main = tests/fuzz/fuzz.h tests/fuzz/replay.c
fuzz_ldflags = $(AM_LDFLAGS)
TESTS += $(fuzz_targets)
endif

tests_fuzz_fuzz_conf_SOURCES = tests/fuzz/fuzz_conf.c $(fuzz_main)
tests_fuzz_fuzz_conf_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_head_SOURCES = tests/fuzz/fuzz_head.c sse-relay/head.c $(fuzz_main)
tests_fuzz_fuzz_head_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_http_SOURCES = tests/fuzz/fuzz_http.c $(fuzz_main)
tests_fuzz_fuzz_http_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_image_SOURCES = tests/fuzz/fuzz_image.c cgi-bin/image.c $(fuzz_main)
tests_fuzz_fuzz_image_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_image_LDADD = $(LDADD) $(GM_LIBS)
tests_fuzz_fuzz_json_SOURCES = tests/fuzz/fuzz_json.c $(fuzz_main)
tests_fuzz_fuzz_json_LDFLAGS = $(fuzz_ldflags)
tests_fuzz_fuzz_multipart_SOURCES = tests/fuzz/fuzz_multipart.c $(fuzz_main)
tests_fuzz_fuzz_multipart_LDFLAGS = $(fuzz_ldflags)
