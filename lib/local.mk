# liborder: what every program shares. Sources stand bottom to top: a file
# includes only headers of files above it in this list (tests/layers proves it).
pkglib_LTLIBRARIES = lib/liborder.la
lib_liborder_la_SOURCES = \
	lib/option.c lib/option.h \
	lib/arena.c lib/arena.h \
	lib/clock.c lib/clock.h \
	lib/uuid.c lib/uuid.h \
	lib/error.c lib/error.h \
	lib/http.c lib/http.h \
	lib/log.c lib/log.h \
	lib/stop.c lib/stop.h \
	lib/conf_value.c lib/conf_value.h \
	lib/conf.c lib/conf.h \
	lib/slot.c lib/slot.h \
	lib/password.c lib/password.h \
	lib/metrics.c lib/metrics.h \
	lib/multipart.c lib/multipart.h \
	lib/json.c lib/json.h \
	lib/token.c lib/token.h \
	lib/timeline.c lib/timeline.h \
	lib/dial.c lib/dial.h \
	lib/pg.c lib/pg.h \
	lib/bus.c lib/bus.h \
	lib/redis.c lib/redis.h \
	lib/gateway.c lib/gateway.h \
	lib/req.c lib/req.h \
	lib/db.c lib/db.h \
	lib/tx.c lib/tx.h \
	lib/reply.c lib/reply.h \
	lib/event.c lib/event.h \
	lib/order.c lib/order.h \
	lib/page.c lib/page.h \
	lib/route.c lib/route.h \
	lib/guard.c lib/guard.h \
	lib/serve.c lib/serve.h
lib_liborder_la_LDFLAGS = $(HARDEN_LDFLAGS) $(SANITIZE_FLAGS) -pthread -avoid-version -no-undefined
lib_liborder_la_LIBADD = $(FCGI_LIBS) $(PQ_LIBS) $(JSON_LIBS) $(CRYPTO_LIBS) $(JWT_LIBS) \
	$(RABBITMQ_LIBS) $(HIREDIS_LIBS) $(XCRYPT_LIBS)
BUILT_SOURCES += sql/lib.h

# a private library: nobody links it but the programs beside it
install-exec-hook:
	rm -f $(DESTDIR)$(pkglibdir)/liborder.la
# libtool finds what to remove by the .la, which is not there
uninstall-local:
	rm -f $(DESTDIR)$(pkglibdir)/liborder.so
