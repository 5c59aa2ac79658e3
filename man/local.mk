# manual pages
dist_man_MANS += man/orderctl.8 man/outbox-dispatcher.8 man/sse-relay.8 man/table-order.env.5
dist_check_SCRIPTS += tests/man
TESTS += tests/man
