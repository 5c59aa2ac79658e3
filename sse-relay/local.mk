# sse-relay: events to the streams. Sources stand bottom to top.
pkglibexec_PROGRAMS += sse-relay/sse-relay
sse_relay_sse_relay_SOURCES = \
	sse-relay/queue.c sse-relay/queue.h \
	sse-relay/listen.c sse-relay/listen.h \
	sse-relay/head.c sse-relay/head.h \
	sse-relay/frame.c sse-relay/frame.h \
	sse-relay/answer.c sse-relay/answer.h \
	sse-relay/store.c sse-relay/store.h \
	sse-relay/stream.c sse-relay/stream.h \
	sse-relay/feed.c sse-relay/feed.h \
	sse-relay/eventlog.c sse-relay/eventlog.h \
	sse-relay/request.c sse-relay/request.h \
	sse-relay/relay.c sse-relay/relay.h \
	sse-relay/sse-relay.c
nodist_sse_relay_sse_relay_SOURCES = sql/sse-relay.h
BUILT_SOURCES += sql/sse-relay.h
