# The schema, as a sqitch project that orderctl migrate deploys, and the demo's data.
migrations = helpers stores menus orders history support rights order_lines
sqitchdir = $(pkgdatadir)/db
dist_sqitch_DATA = db/sqitch.conf db/sqitch.plan db/bootstrap.sql
sqitchdeploydir = $(sqitchdir)/deploy
dist_sqitchdeploy_DATA = $(migrations:%=db/deploy/%.sql)
sqitchverifydir = $(sqitchdir)/verify
dist_sqitchverify_DATA = $(migrations:%=db/verify/%.sql)
sqitchrevertdir = $(sqitchdir)/revert
dist_sqitchrevert_DATA = $(migrations:%=db/revert/%.sql)
seeddir = $(sqitchdir)/seed
dist_seed_DATA = db/seed/demo.json

EXTRA_DIST += db/read-sql.awk db/sql2h.awk db/sql
