# Named statements (db/sql/*.sql) -> a pgTAP test of each: it can be prepared as the programs do, takes as many
# parameters, and of the kinds, that its name line says, and the role of its program may run it. Before
# db/read-sql.awk, which reads them.

function roles(program) {
	if (program == "outbox-dispatcher")
		return "table_order_dispatcher"
	if (program == "sse-relay")
		return "table_order_relay"
	if (program == "orderctl" || program == "doctor")
		return "table_order_owner"
	return "table_order_service,table_order_platform"
}

function statement(n, types, names, text,    i, list) {
	for (i = 1; i <= n; i++) {
		sub(/\?$/, "", types[i])
		list = list (i > 1 ? "," : "") types[i]
	}
	printf "select is(pg_temp.problem('%s', '{%s}', '{%s}',\n$statement$%s$statement$), null, '%s.sql: %s');\n",
		name, list, roles(program), text, program, name
	print "deallocate all;"
	count++
}

function end_of_file() {
	if (program != "" && count == 0)
		fail(program ".sql: no named statement in it")
}

BEGIN {
	print "begin;\nselect no_plan();"
	print "create function pg_temp.problem(name text, types text[], roles text[], statement text) returns text"
	print "language plpgsql as $$"
	print "declare"
	print "	taken regtype[];"
	print "	args text;"
	print "	trouble text;"
	print "begin"
	print "	execute format('prepare %I as %s', name, statement);"
	print "	select parameter_types into taken from pg_prepared_statements p where p.name = problem.name;"
	print "	if cardinality(taken) <> cardinality(types) then"
	print "		return format('%s parameters, the name line has %s', cardinality(taken), cardinality(types));"
	print "	end if;"
	print "	for i in 1 .. cardinality(taken) loop"
	print "		if (select t.typcategory from pg_type t where t.oid = taken[i]) in ('N', 'B', 'A')"
	print "				and (select t.typcategory from pg_type t where t.oid = taken[i])"
	print "				<> (select t.typcategory from pg_type t where t.oid = types[i]::regtype)"
	print "			or (select t.typcategory from pg_type t where t.oid = types[i]::regtype) in ('N', 'B', 'A')"
	print "				and (select t.typcategory from pg_type t where t.oid = taken[i])"
	print "				<> (select t.typcategory from pg_type t where t.oid = types[i]::regtype) then"
	print "			return format('parameter %s is %s, the name line says %s', i, taken[i], types[i]);"
	print "		end if;"
	print "	end loop;"
	print "	args := case when cardinality(taken) > 0 then '(' || repeat('null,', cardinality(taken) - 1) || 'null)' else '' end;"
	print "	for i in 1 .. cardinality(roles) loop"
	print "		begin"
	print "			execute format('set local role %I', roles[i]);"
	print "			execute format('explain execute %I%s', name, args);"
	print "			reset role;"
	print "			return null;"
	print "		exception when others then"
	print "			trouble := concat_ws('; ', trouble, roles[i] || ': ' || sqlerrm);"
	print "		end;"
	print "	end loop;"
	print "	return trouble;"
	print "exception when others then"
	print "	return sqlerrm;"
	print "end"
	print "$$;"
}

FNR == 1 {
	end_of_file()
	program = FILENAME
	sub(/.*\//, "", program)
	sub(/\.sql$/, "", program)
	count = 0
}

END {
	if (!bad && name == "") {
		end_of_file()
		print "select * from finish();\nrollback;"
	}
}
