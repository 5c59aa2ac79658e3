# samples for deployment, and what makes the web server's map of routes
EXTRA_DIST += etc/nginx/nginx.conf.in etc/apache/httpd.conf.in quickstart run-tests .ci/run .shellcheckrc \
	scripts/build scripts/deb scripts/release scripts/packages scripts/stack \
	scripts/lib/process.sh scripts/lib/programs.sh scripts/lib/servers.sh scripts/lib/tree.sh
dist_pkgdata_SCRIPTS = scripts/setup scripts/gather-routes scripts/nginx-routes scripts/apache-routes
dist_sbin_SCRIPTS = scripts/table-order-backup scripts/table-order-upgrade
AM_INSTALLCHECK_STD_OPTIONS_EXEMPT = $(dist_pkgdata_SCRIPTS) $(dist_sbin_SCRIPTS)
# orderctl setup begins with it
nodist_pkgdata_DATA = table-order.env.example
CLEANFILES += table-order.env.example
table-order.env.example: .env.example
	$(AM_V_GEN)cp $(srcdir)/.env.example $@
sampledir = $(pkgdatadir)/etc
dist_sample_DATA = etc/table-order.logrotate etc/table-order.sysusers etc/table-order.tmpfiles
nginxsampledir = $(sampledir)/nginx
dist_nginxsample_DATA = etc/nginx/table-order.conf.in etc/nginx/table-order-tls.conf.in
nodist_nginxsample_DATA = etc/nginx/routes
apachesampledir = $(sampledir)/apache
dist_apachesample_DATA = etc/apache/table-order-common.conf.in etc/apache/table-order-proxy-fcgi.conf.in \
	etc/apache/table-order-fcgid.conf.in etc/apache/table-order-cgi.conf.in \
	etc/apache/table-order-tls.conf.in etc/apache/table-order-redirect.conf.in \
	etc/apache/stream-away.asis etc/apache/bad-gateway.asis etc/apache/picture-method.asis
nodist_apachesample_DATA = etc/apache/routes

# who serves what, as the programs that were built say it
routes = etc/nginx/routes etc/apache/routes
CLEANFILES += $(routes)
$(routes): $(cgibin_PROGRAMS) scripts/nginx-routes scripts/apache-routes
	$(AM_V_GEN)$(MKDIR_P) $(@D) && web=$(@D) && \
	for p in $(cgibin_PROGRAMS); do ./$$p --routes || exit 1; done >$@.all && \
	$(AWK) -f $(srcdir)/scripts/$${web#etc/}-routes $@.all >$@.tmp && rm $@.all && mv $@.tmp $@

# what watches it
prometheussampledir = $(sampledir)/prometheus
dist_prometheussample_DATA = etc/prometheus/prometheus.yml etc/prometheus/postgres-queries.yml
rulesampledir = $(prometheussampledir)/rules
dist_rulesample_DATA = etc/prometheus/rules/table-order.yml
alertmanagersampledir = $(sampledir)/alertmanager
dist_alertmanagersample_DATA = etc/alertmanager/alertmanager.yml.in
dashboardsampledir = $(sampledir)/grafana/dashboards
dist_dashboardsample_DATA = etc/grafana/dashboards/overview.json etc/grafana/dashboards/dependencies.json
dashboardprovisioningdir = $(sampledir)/grafana/provisioning/dashboards
dist_dashboardprovisioning_DATA = etc/grafana/provisioning/dashboards/table-order.yml
datasourceprovisioningdir = $(sampledir)/grafana/provisioning/datasources
dist_datasourceprovisioning_DATA = etc/grafana/provisioning/datasources/table-order.yml

# two PostgreSQL servers, one the standby of the other
postgresqlsampledir = $(sampledir)/postgresql
dist_postgresqlsample_DATA = etc/postgresql/pair.conf.in
dist_postgresqlsample_SCRIPTS = etc/postgresql/pair
AM_INSTALLCHECK_STD_OPTIONS_EXEMPT += $(dist_postgresqlsample_SCRIPTS)
backrestsampledir = $(sampledir)/pgbackrest
dist_backrestsample_DATA = etc/pgbackrest/pgbackrest.conf.in etc/pgbackrest/postgresql.conf.in
# three of them under Patroni
patronisampledir = $(sampledir)/patroni
dist_patronisample_DATA = etc/patroni/patroni.yml.in etc/patroni/etcd.in
dist_patronisample_SCRIPTS = etc/patroni/make-certificates
AM_INSTALLCHECK_STD_OPTIONS_EXEMPT += $(dist_patronisample_SCRIPTS)
# several hosts behind one address, and the way between them and Redis and RabbitMQ
haproxysampledir = $(sampledir)/haproxy
dist_haproxysample_DATA = etc/haproxy/haproxy.cfg.in
stunnelsampledir = $(sampledir)/stunnel
dist_stunnelsample_DATA = etc/stunnel/table-order-redis-server.conf.in etc/stunnel/table-order-redis.conf.in
rabbitmqsampledir = $(sampledir)/rabbitmq
dist_rabbitmqsample_DATA = etc/rabbitmq/table-order-tls.conf.in
# systemd's units: what they share is in one file, and the services' names come from the one list of them
dist_systemdunit_DATA = etc/systemd/table-order-maintenance.timer etc/systemd/table-order-logrotate.timer \
	etc/systemd/table-order-doctor.timer \
	etc/systemd/table-order-backup.timer etc/systemd/table-order-restore-test.timer
units = etc/systemd/table-order.target \
	etc/systemd/table-order@.socket etc/systemd/table-order@.service \
	etc/systemd/table-order-sse-relay.socket etc/systemd/table-order-sse-relay.service \
	etc/systemd/table-order-outbox-dispatcher.service \
	etc/systemd/table-order-maintenance.service etc/systemd/table-order-logrotate.service \
	etc/systemd/table-order-doctor.service \
	etc/systemd/table-order-backup.service etc/systemd/table-order-restore-test.service
nodist_systemdunit_DATA = $(units)
EXTRA_DIST += $(units:%=%.in) etc/systemd/hardening
CLEANFILES += $(units)
instances = $(services:cgi-bin/%=%) status

$(units): $(units:%=%.in) etc/systemd/hardening Makefile
	$(AM_V_GEN)$(MKDIR_P) etc/systemd && \
	sed -e '/^[@]hardening[@]$$/{' -e 'r $(srcdir)/etc/systemd/hardening' -e 'd' -e '}' \
		-e 's|[@]bindir[@]|$(bindir)|; s|[@]cgibindir[@]|$(cgibindir)|; s|[@]pkglibexecdir[@]|$(pkglibexecdir)|' \
		-e 's|[@]sbindir[@]|$(sbindir)|; s|[@]sysconfdir[@]|$(sysconfdir)|' \
		-e 's|[@]sockets[@]|$(instances:%=table-order@%.socket)|; s|[@]services[@]|$(instances:%=table-order@%.service)|' \
		$(srcdir)/$@.in >$@
