# tests: `make check` runs them all, `make check TESTS=tests/unit/test_conf` one.
dist_check_SCRIPTS += tests/errors tests/layers tests/logrotate tests/orderctl tests/setup tests/systemd
TESTS += tests/errors tests/layers tests/logrotate tests/orderctl tests/setup tests/systemd

# A unit test is one program: its name here, its source and LDADD below.
unit_tests = \
	tests/unit/test_arena \
	tests/unit/test_conf \
	tests/unit/test_dial \
	tests/unit/test_encrypted \
	tests/unit/test_http \
	tests/unit/test_image \
	tests/unit/test_json \
	tests/unit/test_multipart \
	tests/unit/test_order \
	tests/unit/test_password \
	tests/unit/test_redis \
	tests/unit/test_relay_frame \
	tests/unit/test_relay_head \
	tests/unit/test_relay_listen \
	tests/unit/test_relay_store \
	tests/unit/test_relay_stream \
	tests/unit/test_req \
	tests/unit/test_route \
	tests/unit/test_slot_metrics_log \
	tests/unit/test_timeline \
	tests/unit/test_token \
	tests/unit/test_uuid_error
unit_ldadd = $(LDADD) $(CRYPTO_LIBS) $(CUNIT_LIBS)
EXTRA_DIST += tests/unit/unit.h

tests_unit_test_arena_LDADD = $(unit_ldadd)
tests_unit_test_conf_LDADD = $(unit_ldadd)
tests_unit_test_dial_LDADD = $(unit_ldadd) $(PQ_LIBS)
tests_unit_test_encrypted_SOURCES = tests/unit/test_encrypted.c orderctl/encrypted.c orderctl/encrypted.h
tests_unit_test_encrypted_LDADD = $(unit_ldadd)
tests_unit_test_http_LDADD = $(unit_ldadd)
tests_unit_test_image_SOURCES = tests/unit/test_image.c cgi-bin/image.c cgi-bin/image.h
tests_unit_test_image_LDADD = $(unit_ldadd) $(GM_LIBS)
tests_unit_test_json_LDADD = $(unit_ldadd)
tests_unit_test_multipart_LDADD = $(unit_ldadd)
tests_unit_test_order_LDADD = $(unit_ldadd)
tests_unit_test_password_LDADD = $(unit_ldadd)
tests_unit_test_redis_LDADD = $(unit_ldadd)
tests_unit_test_relay_frame_SOURCES = tests/unit/test_relay_frame.c sse-relay/frame.c
tests_unit_test_relay_frame_LDADD = $(unit_ldadd)
tests_unit_test_relay_head_SOURCES = tests/unit/test_relay_head.c sse-relay/head.c
tests_unit_test_relay_head_LDADD = $(unit_ldadd)
tests_unit_test_relay_listen_SOURCES = tests/unit/test_relay_listen.c sse-relay/listen.c
tests_unit_test_relay_listen_LDADD = $(unit_ldadd)
tests_unit_test_relay_store_SOURCES = tests/unit/test_relay_store.c sse-relay/store.c sse-relay/frame.c
tests_unit_test_relay_store_LDADD = $(unit_ldadd)
tests_unit_test_relay_stream_SOURCES = tests/unit/test_relay_stream.c sse-relay/stream.c sse-relay/frame.c
tests_unit_test_relay_stream_LDADD = $(unit_ldadd)
tests_unit_test_req_LDADD = $(unit_ldadd)
tests_unit_test_route_LDADD = $(unit_ldadd)
tests_unit_test_slot_metrics_log_LDADD = $(unit_ldadd)
tests_unit_test_timeline_LDADD = $(unit_ldadd)
tests_unit_test_token_LDADD = $(unit_ldadd)
tests_unit_test_uuid_error_LDADD = $(unit_ldadd)

if CUNIT
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif

# where files go, and that none stay
EXTRA_DIST += tests/install
installcheck-local:
	srcdir=$(srcdir) MAKE=$(MAKE) $(srcdir)/tests/install

include tests/fuzz/local.mk
