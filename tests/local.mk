# tests: `make check` runs them all, `make check TESTS=tests/unit/test_conf` one.
dist_check_SCRIPTS += tests/layers tests/orderctl
TESTS += tests/layers tests/orderctl

# A unit test is one program: its name here, its source and LDADD below.
unit_tests = \
	tests/unit/test_arena \
	tests/unit/test_conf \
	tests/unit/test_password \
	tests/unit/test_slot_metrics_log \
	tests/unit/test_token
unit_ldadd = $(LDADD) $(CRYPTO_LIBS) $(CUNIT_LIBS)
EXTRA_DIST += tests/unit/unit.h

tests_unit_test_arena_LDADD = $(unit_ldadd)
tests_unit_test_conf_LDADD = $(unit_ldadd)
tests_unit_test_password_LDADD = $(unit_ldadd)
tests_unit_test_slot_metrics_log_LDADD = $(unit_ldadd)
tests_unit_test_token_LDADD = $(unit_ldadd)

if CUNIT
check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)
endif
