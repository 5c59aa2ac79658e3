# read-sql: reads named statements (db/sql), for an awk program that comes before it and defines statement().
#
#	-- name: order_note(bigint order_id, text? note)
#	update orders set note = $2 where id = $1;
#
# For each statement(n, types, names, text) is called, with name set: n parameters with types[1..n], ? and all, and
# names[1..n]; the text, without comments, empty lines and the ; at its end.

function fail(why) {
	printf "%s:%d: %s\n", FILENAME, FNR, why > "/dev/stderr"
	bad = 1
	exit 1
}

function end_of_statement(    i, n, list, part, types, names) {
	n = params == "" ? 0 : split(params, list, /, */)
	for (i = 1; i <= n; i++) {
		if (split(list[i], part, " ") != 2)
			fail("a parameter is `type name`: " list[i])
		types[i] = part[1]
		names[i] = part[2]
	}
	statement(n, types, names, text)
	name = ""
}

FNR == 1 || /^-- name: / {
	if (name != "")
		fail(name " has no ;")
}

/^-- name: / {
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
	text = text (text == "" ? "" : "\n") line
	if (last)
		end_of_statement()
}

END {
	if (bad)
		exit 1
	if (name != "")
		fail(name " has no ;")
}
