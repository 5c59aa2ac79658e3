# orderctl
bin_PROGRAMS += orderctl/orderctl
orderctl_orderctl_SOURCES = \
	orderctl/main.c orderctl/orderctl.h orderctl/owner.c \
	orderctl/check_config.c orderctl/create_super_admin.c orderctl/keygen.c \
	orderctl/maintenance.c orderctl/migrate.c orderctl/orphans.c orderctl/outbox.c \
	orderctl/seed_demo.c orderctl/setup.c
nodist_orderctl_orderctl_SOURCES = sql/orderctl.h
orderctl_orderctl_LDADD = $(LDADD) $(CRYPTO_LIBS)
BUILT_SOURCES += sql/orderctl.h
