# The services: one source, one table of routes, one executable each.
services = \
	cgi-bin/authentication \
	cgi-bin/complete-table-session \
	cgi-bin/create-order \
	cgi-bin/delete-order \
	cgi-bin/manage-admin \
	cgi-bin/menu \
	cgi-bin/order-history-query \
	cgi-bin/order-query \
	cgi-bin/update-order-status

cgibin_PROGRAMS += $(services) cgi-bin/status
BUILT_SOURCES += $(services:cgi-bin/%=sql/%.h) sql/status.h

cgi_bin_menu_SOURCES = cgi-bin/menu.c cgi-bin/menu_input.c cgi-bin/menu_input.h \
	cgi-bin/image.c cgi-bin/image.h
cgi_bin_menu_LDADD = $(LDADD) $(GM_LIBS)

# what the services and the relay serve, for status's 404, 405 and preflight; its own it knows
cgi_bin_status_SOURCES = cgi-bin/status.c
nodist_cgi_bin_status_SOURCES = cgi-bin/served.h
cgi-bin/status.$(OBJEXT): cgi-bin/served.h
cgi-bin/served.h: $(services) sse-relay/sse-relay
	$(AM_V_GEN)for p in $(services) sse-relay/sse-relay; do ./$$p --routes || exit 1; done | \
		$(AWK) -F '\t' '{ printf "{ \"%s\", \"%s\", \"%s\" },\n", $$1, $$2, $$3 } \
		$$1 == "GET" && $$5 != "stream" { printf "{ \"HEAD\", \"%s\", \"%s\" },\n", $$2, $$3 }' >$@.tmp && mv $@.tmp $@
CLEANFILES += cgi-bin/served.h
