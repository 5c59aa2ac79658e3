# outbox: committed events to RabbitMQ
pkglibexec_PROGRAMS += outbox/outbox-dispatcher
outbox_outbox_dispatcher_SOURCES = outbox/outbox-dispatcher.c
nodist_outbox_outbox_dispatcher_SOURCES = sql/outbox-dispatcher.h
BUILT_SOURCES += sql/outbox-dispatcher.h
