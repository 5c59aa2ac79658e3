# The API's document, and the page that is made of it for GET /docs.
dist_doc_DATA = doc/architecture.md doc/errors.md doc/openapi.yaml doc/performance.md
operationsdir = $(docdir)/operations
dist_operations_DATA = doc/operations/backup.md doc/operations/deployment.md doc/operations/failover.md \
	doc/operations/hosting.md doc/operations/monitoring.md doc/operations/requirements.md \
	doc/operations/tls.md doc/operations/trouble.md \
	doc/operations/two-hosts.md doc/operations/upgrade.md
docexamplesdir = $(docdir)/examples
dist_docexamples_DATA = doc/examples/table-client.ts doc/examples/tsconfig.json
EXTRA_DIST += scripts/docs
pkgdata_DATA = doc/docs.html
CLEANFILES += doc/docs.html

doc/docs.html: $(srcdir)/doc/openapi.yaml $(srcdir)/scripts/docs
	$(AM_V_GEN)$(MKDIR_P) doc && $(PERL) $(srcdir)/scripts/docs $(srcdir)/doc/openapi.yaml >$@.tmp && mv $@.tmp $@
