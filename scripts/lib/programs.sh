# shellcheck shell=sh
# Our own programs of an installation: configuration, data, supervision, and what quickstart.json says.

# the service programs, each behind a socket of its own; where the web server starts them itself there are none to look after
services() {
	case $WEB in apache-fcgid | apache-cgi) return ;; esac
	for program in "$CGI_BIN"/*; do
		[ -x "$program" ] && echo "${program##*/}"
	done
}

# the programs without one
daemons() {
	for program in outbox-dispatcher sse-relay; do
		[ -x "$LIBEXEC/$program" ] && echo "$program"
	done
}

# A socket outlives the program behind it: multiwatch holds it and starts the program again whenever it ends, however often
# (-t 1: never "too often"). The pause keeps a program that cannot start from spinning; pdeathsig leaves no orphan.
supervise() {
	# shellcheck disable=SC2016  # for the inner shell
	set -- /usr/bin/multiwatch -r 1000000000 -t 1 -s TERM -f 1 -- \
		/bin/sh -c 'sleep 0.1; exec setpriv --pdeathsig TERM -- "$0"' "$@"
	if [ "$socket" ]; then
		set -- spawn-fcgi -n -s "$socket" -b 1024 -- "$@"
	fi
	spawn "$supervised" env TABLE_ORDER_ENV="$DIR/table-order.env" "$@"
}

start_program() {
	supervised=$1
	alive "$supervised" && return 0
	if [ -x "$CGI_BIN/$1" ]; then
		socket=$DIR/run/$1.sock
		supervise "$CGI_BIN/$1"
	elif [ -x "$LIBEXEC/$1" ]; then
		socket=
		supervise "$LIBEXEC/$1"
	else
		die "there is no program named $1 under $PREFIX"
	fi
	came_up "$1" 10 program_runs "$1" || die "$1 $problem: $(last_words "$1")"
}

# the supervisor's child has become the program
program_runs() {
	child=$(child_of "$1") && [ "$child" ] && case $(readlink "/proc/$child/exe") in */"$1" | */"lt-$1") true ;; *) false ;; esac
}

# restart_program NAME: end the program; its supervisor starts the next one, and the socket stays
restart_program() {
	alive "$1" || {
		start_program "$1"
		return 0
	}
	before=$(child_of "$1")
	kill -s TERM "$before" 2>/dev/null || :
	wait_until 30 replaced "$1" "$before" || die "$1 was not replaced within 30 s: $(last_words "$1")"
}

replaced() {
	[ "$(child_of "$1")" != "$2" ] && program_runs "$1"
}

# the programs that run from files which an installation has replaced meanwhile
outdated() {
	for program in $(services) $(daemons); do
		child=$(child_of "$program") &&
			grep -F "$PREFIX/" "/proc/$child/maps" | grep -q ' (deleted)$' && echo "$program"
	done
	return 0
}

# bring what runs up to what is installed; no request is lost by it
renew() {
	old=$(outdated)
	[ -n "$old" ] || return 0
	fill_database
	WEB_PORT=$(cat "$DIR/$WEB_SERVER/port")
	HTTP_PORT=$(cat "$DIR/$WEB_SERVER/http-port" 2>/dev/null || echo "$WEB_PORT")
	write_web_conf
	signal HUP "$WEB_SERVER"
	for program in $old; do
		restart_program "$program"
	done
	write_json
}

# one line of .env; what cannot stand there bare is quoted
env_line() {
	case $2 in
	*[!A-Za-z0-9_@%+=:,./-]*)
		case $2 in
		*[\'\\]*) die "$1: a value may not contain ' or \\" ;;
		esac
		echo "$1='$2'"
		;;
	*) echo "$1=$2" ;;
	esac
}

# write_env: our keys, unless the settings name them, then the settings
write_env() {
	encoded=$(echo "$DIR/run" | sed 's|/|%2F|g')
	if has_standby; then
		database=$encoded:$(node_port postgres),$encoded:$(node_port postgres2)/table_order?target_session_attrs=read-write
	else
		# named, since Debian's psql else takes that of the machine's own cluster
		database=$encoded:$(node_port postgres)/table_order
	fi
	given RABBITMQ_URL || read -r amqp_port _ <"$DIR/rabbitmq/ports"
	while read -r key value; do
		given "${key%_FILE}" || env_line "$key" "$value"
	done >"$DIR/env.new" <<-KEYS
		DATABASE_URL postgresql://table_order_service@$database
		DATABASE_OWNER_URL postgresql://table_order_owner@$database
		DISPATCHER_DATABASE_URL postgresql://table_order_dispatcher@$database
		RELAY_DATABASE_URL postgresql://table_order_relay@$database
		REDIS_URL unix:$DIR/run/redis.sock
		RABBITMQ_URL amqp://table_order:$(cat "$DIR/rabbitmq/password" 2>/dev/null)@127.0.0.1:${amqp_port:-}/table-order
		PUBLIC_URL $(web_url)
		JWT_PRIVATE_KEY_FILE $DIR/keys/private.pem
		JWT_PUBLIC_KEYS_FILE $DIR/keys/public.pem
		UPLOAD_DIR $DIR/uploads
		LOG_DIR $DIR/log
		RUN_DIR $DIR/run
		SSE_LISTEN unix:$DIR/run/sse-relay.sock
		ALLOW_UNENCRYPTED 1
	KEYS
	while IFS='=' read -r key value; do
		env_line "$key" "$value"
	done <"$DIR/settings" >>"$DIR/env.new"
	[ -z "$RUN_USER" ] || chown "$RUN_USER:" "$DIR/env.new"
	mv "$DIR/env.new" "$DIR/table-order.env"
}

orderctl() {
	as env TABLE_ORDER_ENV="$DIR/table-order.env" "$PREFIX/bin/orderctl" "$@"
}

make_keys() {
	given JWT_PRIVATE_KEY || [ -e "$DIR/keys/private.pem" ] || orderctl keygen "$DIR/keys" >"$DIR/log/keygen.console" 2>&1 || die "orderctl keygen: $(last_words keygen)"
}

# bring the schema up to date; the first time, also people and menus to try it with
fill_database() {
	orderctl check-config >"$DIR/log/check-config.console" 2>&1 || die "orderctl check-config: $(last_words check-config)"
	orderctl migrate >"$DIR/log/migrate.console" 2>&1 || die "orderctl migrate: $(last_words migrate)"
	[ ! -e "$DIR/seed.json" ] || return 0
	if [ ! -e "$DIR/super-admin.password" ]; then
		password=$(openssl rand -hex 8)
		echo "$password" | orderctl create-super-admin owner >"$DIR/log/super-admin.console" 2>&1 ||
			die "orderctl create-super-admin: $(last_words super-admin)"
		echo "$password" >"$DIR/super-admin.password"
	fi
	orderctl seed-demo >"$DIR/seed.json.new" 2>"$DIR/log/seed-demo.console" || die "orderctl seed-demo: $(last_words seed-demo)"
	mv "$DIR/seed.json.new" "$DIR/seed.json"
}

# the lines "name":number, of a JSON object
json_pids() {
	separator=
	while read -r name pid; do
		printf '%s"%s":%s' "$separator" "$name" "$pid"
		separator=,
	done
}

write_json() {
	(
		printf '{"base_url":"%s",' "$(web_url)"
		[ "$HTTPS" != 1 ] || printf '"http_url":"http://127.0.0.1:%s","ca_file":"%s",' "$(cat "$DIR/$WEB_SERVER/http-port")" "$DIR/tls/ca.pem"
		printf '"env_file":"%s","pids":{' "$DIR/table-order.env"
		{
			for name in postgres postgres2 redis rabbitmq epmd "$WEB_SERVER"; do
				pid=$(pid_of $name) && echo "$name $pid"
			done
			for name in $(services) $(daemons); do
				pid=$(child_of "$name") && echo "$name $pid"
			done
		} | json_pids
		printf '},"supervisors":{'
		for name in $(services) $(daemons); do
			pid=$(pid_of "$name") && echo "$name $pid"
		done | json_pids
		printf '},"super_admin":{"username":"owner","password":"%s"},"stores":' "$(cat "$DIR/super-admin.password")"
		cat "$DIR/seed.json"
		printf '}\n'
	) >"$DIR/quickstart.json.new"
	mv "$DIR/quickstart.json.new" "$DIR/quickstart.json"
}

answers() {
	case $HTTPS in 1) set -- --cacert "$DIR/tls/ca.pem" ;; esac
	curl -fsS -m 5 -o /dev/null "$@" "$(web_url)/health"
}
