# sql2h: named statements -> a C header. Before db/read-sql.awk, which reads them.
#
#	-- name: order_note(bigint order_id, text? note)
#	update orders set note = $2 where id = $1;
#
# becomes `static const struct sql SQL_ORDER_NOTE` (pg.h) and, for programs
# that include db.h first, the typed call
#	struct rows *sql_order_note(struct req *r, int64_t order_id, const char *note);
# bigint, integer: int64_t (with ?: 0 is null); boolean: bool; all else, and
# boolean?: text, NULL for null.

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
function check_columns(text,    rest, alias) {
	gsub(/[ \t\n]+/, " ", text)
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

# As lines of a C string.
function c_text(text) {
	gsub(/\\/, "\\\\&", text)
	gsub(/"/, "\\\\&", text)
	gsub(/\n[ \t]+/, "\n ", text)
	gsub(/\n/, " \"\n\t\"", text)
	return "\t\"" text " \""
}

function statement(n, types, names, text,    i, args, values) {
	check_columns(text)
	for (i = 1; i <= n; i++) {
		args = args ", " c_type(types[i]) names[i]
		values = values (i > 1 ? ", " : "") c_value(types[i], names[i])
	}
	printf "static const struct sql SQL_%s = {\n\t\"%s\",\n%s,\n\t%d\n};\n\n", toupper(name), name, c_text(text), n
	calls = calls "static inline struct rows *\nsql_" name "(struct req *r" args ")\n{\n"
	if (n > 0)
		calls = calls "\tconst char *const values[] = { " values " };\n\n\treturn db_query(r, &SQL_" toupper(name) ", values);\n}\n\n"
	else
		calls = calls "\treturn db_query(r, &SQL_" toupper(name) ", NULL);\n}\n\n"
}

BEGIN {
	print "/* made by db/sql2h.awk */\n#include \"pg.h\"\n"
}

END {
	if (!bad && name == "")
		print "#ifdef DB_H\n" calls "#endif"
}
