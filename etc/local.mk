# samples for deployment, and what makes the web server's map of routes
EXTRA_DIST += etc/nginx/nginx.conf.in quickstart run-tests .ci/run .shellcheckrc \
	scripts/build scripts/packages scripts/stack \
	scripts/lib/process.sh scripts/lib/programs.sh scripts/lib/servers.sh scripts/lib/tree.sh
dist_pkgdata_SCRIPTS = scripts/gather-routes scripts/nginx-routes
nginxsampledir = $(pkgdatadir)/nginx
dist_nginxsample_DATA = etc/nginx/table-order.conf.in
