# orderctl
bin_PROGRAMS += orderctl/orderctl
orderctl_orderctl_SOURCES = \
	orderctl/main.c orderctl/orderctl.h orderctl/owner.c \
	orderctl/after_restore.c orderctl/check_config.c orderctl/create_super_admin.c orderctl/keygen.c \
	orderctl/doctor.c orderctl/doctor.h orderctl/doctor_database.c orderctl/doctor_encryption.c \
	orderctl/doctor_files.c orderctl/doctor_programs.c orderctl/doctor_servers.c \
	orderctl/encrypted.c orderctl/encrypted.h \
	orderctl/maintenance.c orderctl/migrate.c orderctl/orphans.c orderctl/outbox.c \
	orderctl/seed_demo.c orderctl/setup.c
nodist_orderctl_orderctl_SOURCES = sql/orderctl.h sql/doctor.h
# whom doctor looks for
orderctl_orderctl_CPPFLAGS = $(AM_CPPFLAGS) -DSERVICES='"status"$(services:cgi-bin/%=,"%")' \
	-DDAEMONS='"outbox-dispatcher","sse-relay"'
orderctl_orderctl_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS)
orderctl_orderctl_LDADD = $(LDADD) $(CRYPTO_LIBS) $(CURL_LIBS) -lm
BUILT_SOURCES += sql/orderctl.h sql/doctor.h
