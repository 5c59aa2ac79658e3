# manual pages; a service's is prefixed, since names like menu(8) are anybody's
dist_man_MANS += $(services:cgi-bin/%=man/table-order-%.8) man/table-order-status.8 \
	man/table-order-backup.8 man/table-order-upgrade.8 man/orderctl.8 man/outbox-dispatcher.8 man/sse-relay.8 \
	man/table-order.env.5 man/table-order.7
dist_check_SCRIPTS += tests/man
TESTS += tests/man
