# samples for deployment, and what makes the web server's map of routes
EXTRA_DIST += etc/nginx/nginx.conf.in etc/apache/httpd.conf.in quickstart run-tests .ci/run .shellcheckrc \
	scripts/build scripts/packages scripts/stack \
	scripts/lib/process.sh scripts/lib/programs.sh scripts/lib/servers.sh scripts/lib/tree.sh
dist_pkgdata_SCRIPTS = scripts/gather-routes scripts/nginx-routes scripts/apache-routes
AM_INSTALLCHECK_STD_OPTIONS_EXEMPT = $(dist_pkgdata_SCRIPTS)
sampledir = $(pkgdatadir)/etc
dist_sample_DATA = etc/table-order.logrotate etc/table-order.sysusers etc/table-order.tmpfiles
nginxsampledir = $(sampledir)/nginx
dist_nginxsample_DATA = etc/nginx/table-order.conf.in
apachesampledir = $(sampledir)/apache
dist_apachesample_DATA = etc/apache/table-order-common.conf.in etc/apache/table-order-proxy-fcgi.conf.in \
	etc/apache/table-order-fcgid.conf.in etc/apache/table-order-cgi.conf.in \
	etc/apache/stream-away.asis etc/apache/bad-gateway.asis etc/apache/picture-method.asis
systemdsampledir = $(sampledir)/systemd
dist_systemdsample_DATA = etc/systemd/table-order.target etc/systemd/table-order@.socket
unit_templates = etc/systemd/table-order@.service.in etc/systemd/table-order-outbox-dispatcher.service.in \
	etc/systemd/table-order-sse-relay.service.in
units = etc/systemd/table-order@.service etc/systemd/table-order-outbox-dispatcher.service \
	etc/systemd/table-order-sse-relay.service
nodist_systemdsample_DATA = $(units)
EXTRA_DIST += $(unit_templates)
CLEANFILES += $(units)

$(units): $(unit_templates) Makefile
	$(AM_V_GEN)$(MKDIR_P) etc/systemd && \
	sed -e 's|[@]cgibindir[@]|$(cgibindir)|' -e 's|[@]pkglibexecdir[@]|$(pkglibexecdir)|' $(srcdir)/$@.in >$@
