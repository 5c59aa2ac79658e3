# What measures, and never judges.
EXTRA_DIST += bench/run bench/measure.mjs bench/complete.sql bench/history.sql
