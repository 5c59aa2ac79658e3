# sql2h: named statements -> a C header.
#
#	-- name: order_note(bigint order_id, text? note)
#	update orders set note = $2 where id = $1;
#
# becomes `static const struct sql SQL_ORDER_NOTE` (pg.h) and, for programs
# that include db.h first, the typed call
#	struct rows *sql_order_note(struct req *r, int64_t order_id, const char *note);
# bigint, integer: int64_t (with ?: 0 is null); boolean: bool; all else, and
# boolean?: text, NULL for null.

function fail(why) {
	printf "%s:%d: %s\n", FILENAME, FNR, why > "/dev/stderr"
	bad = 1
	exit 1
}

function c_type(type) {
	if (type ~ /^(bigint|integer)\??$/)
		return "int64_t "
	return type == "boolean" ? "bool " : "const char *"
}

function c_value(type, name) {
	if (type ~ /^(bigint|integer)\?$/)
		return "db_id(r, " name ")"
	if (type ~ /^(bigint|integer)$/)
		return "db_int(r, " name ")"
	return type == "boolean" ? "db_bool(" name ")" : name
}

# A table's columns are named: with *, a migration that adds one would break the statements that are prepared already. Only
# what names them itself may be taken whole: a subquery, and order_lines, a view that no migration changes.
function check_columns(    rest, alias) {
	rest = text
	gsub(/count[(][*][)]|select [*] from (order_lines|changed)/, "", rest)
	while (match(rest, /[a-z_]+[.][*]/)) {
		alias = substr(rest, RSTART, RLENGTH - 2)
		if (text !~ "[)] " alias "[ ]")
			fail("name the columns of " alias)
		rest = substr(rest, RSTART + RLENGTH)
	}
	if (rest ~ /(select|returning|,) *[*]/)
		fail("name the columns instead of *")
}

function finish(    i, n, part, list, args, values) {
	check_columns()
	n = params == "" ? 0 : split(params, list, /, */)
	for (i = 1; i <= n; i++) {
		if (split(list[i], part, " ") != 2)
			fail("a parameter is `type name`: " list[i])
		args = args ", " c_type(part[1]) part[2]
		values = values (i > 1 ? ", " : "") c_value(part[1], part[2])
	}
	printf "static const struct sql SQL_%s = {\n\t\"%s\",\n%s,\n\t%d\n};\n\n", toupper(name), name, text, n
	calls = calls "static inline struct rows *\nsql_" name "(struct req *r" args ")\n{\n"
	if (n > 0)
		calls = calls "\tconst char *const values[] = { " values " };\n\n\treturn db_query(r, &SQL_" toupper(name) ", values);\n}\n\n"
	else
		calls = calls "\treturn db_query(r, &SQL_" toupper(name) ", NULL);\n}\n\n"
	name = ""
}

BEGIN {
	print "/* made by db/sql2h.awk */\n#include \"pg.h\"\n"
}

/^-- name: / {
	if (name != "")
		fail("the statement before has no ;")
	if (!match($0, /^-- name: [a-z_0-9]+\(.*\)$/))
		fail("a name line is `-- name: name(type arg, ...)`")
	name = $0
	sub(/^-- name: /, "", name)
	params = name
	sub(/\(.*/, "", name)
	sub(/^[^(]*\(/, "", params)
	sub(/\)$/, "", params)
	text = ""
	next
}

/^[ \t]*--/ || /^[ \t]*$/ { next }

{
	if (name == "")
		fail("a statement without a name line")
	line = $0
	sub(/[ \t]+$/, "", line)
	last = line ~ /;$/
	sub(/;$/, "", line)
	sub(/^[ \t]+/, " ", line)
	gsub(/\\/, "\\\\&", line)
	gsub(/"/, "\\\\&", line)
	text = text (text == "" ? "" : "\n") "\t\"" line " \""
	if (last)
		finish()
}

END {
	if (bad)
		exit 1
	if (name != "")
		fail("the last statement has no ;")
	print "#ifdef DB_H\n" calls "#endif"
}
