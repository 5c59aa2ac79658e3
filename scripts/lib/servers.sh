# shellcheck shell=sh
# The servers of an installation: start_NAME returns when NAME answers, or dies with one line.

# given KEY: whether the settings name it, or a file that holds it; a server that they name is not ours to start
given() {
	grep -qsE "^$1(_FILE)?=" "$DIR/settings"
}

pg_bin=/usr/lib/postgresql/15/bin

# The database is one server, postgres, or two, one of them the synchronous standby of the other. They differ by the port,
# which is part of their sockets' names.
node_port() {
	case $1 in
	postgres) echo 5432 ;;
	postgres2) echo 5433 ;;
	esac
}

has_standby() {
	[ -e "$DIR/standby" ]
}

primary() {
	cat "$DIR/primary" 2>/dev/null || echo postgres
}

standby() {
	case $(primary) in
	postgres) echo postgres2 ;;
	postgres2) echo postgres ;;
	esac
}

# node_do NODE PSQL-ARGUMENT ...
node_do() {
	node=$1
	shift
	as $pg_bin/psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$DIR/run" -p "$(node_port "$node")" -U postgres "$@"
}

psql_do() {
	node_do "$(primary)" "$@"
}

# pair_do NODE COMMAND ...: what an operator does with two servers
pair_do() {
	node=$1
	shift
	as env PGHOST="$DIR/run" PGPORT="$(node_port "$node")" "$TOP/etc/postgresql/pair" "$@"
}

launch_node() {
	# after a kill the old one's children may still be on their way out, and a new one refuses until they are
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		spawn "$1" $pg_bin/postgres -D "$DIR/$1" -p "$(node_port "$1")" -c listen_addresses= -c unix_socket_directories="$DIR/run" \
			-c unix_socket_permissions=0700 -c max_connections=150 -c shared_buffers=64MB -c max_wal_size=512MB \
			-c timezone=UTC -c log_timezone=UTC -c log_line_prefix='%m [%p] %q%u@%d '
		came_up "$1" 60 node_do "$1" -d postgres -c 'select 1' && return 0
		sleep 0.3
	done
	die "PostgreSQL $problem: $(last_words "$1")"
}

# a server that was the primary once is made anew: it may have what nobody was told of
join_standby() {
	if [ ! -e "$DIR/$1/standby.signal" ]; then
		rm -rf "${DIR:?}/$1"
		mkdir -m 700 "$DIR/$1"
		[ -z "$RUN_USER" ] || chown "$RUN_USER:" "$DIR/$1"
		pair_do "$1" standby "$DIR/$1" "host=$DIR/run port=$(node_port "$(primary)") user=postgres application_name=$1" \
			>"$DIR/log/standby.console" 2>&1 || die "the standby cannot be made: $(last_words standby)"
	fi
	launch_node "$1"
	wait_until 30 resume_replication || die "the standby does not stream: $(last_words pair)"
}

# what both have: the standby is made of the primary's files
configure_pair() {
	as mkdir "$DIR/postgres/certs" && as "$TOP/etc/patroni/make-certificates" "$DIR/postgres/certs" postgres=127.0.0.1 &&
		sed "s|@CERTS@|certs|; s|@NAME@|postgres|" "$TOP/etc/postgresql/pair.conf.in" | as tee -a "$DIR/postgres/postgresql.conf" >/dev/null ||
		die "the pair cannot be configured"
}

resume_replication() {
	pair_do "$(primary)" resume >"$DIR/log/pair.console" 2>&1
}

takes_writes() {
	dead "$(primary)" || [ "$(psql_do -d postgres -c 'select pg_is_in_recovery()' 2>/dev/null)" = f ]
}

start_postgres() {
	if given DATABASE_URL || { alive postgres && { ! has_standby || alive postgres2; }; }; then
		return 0
	fi
	if [ ! -e "$DIR/postgres/PG_VERSION" ] && [ "$(primary)" = postgres ]; then
		as $pg_bin/initdb -D "$DIR/postgres" -U postgres --data-checksums --auth=trust -E UTF8 --locale=C.UTF-8 \
			>"$DIR/log/initdb.console" 2>&1 || die "initdb: $(last_words initdb)"
		! has_standby || configure_pair
	fi
	alive "$(primary)" || launch_node "$(primary)"
	# one that was restored from a backup reads its WAL first
	wait_until 300 takes_writes || die "PostgreSQL is still in recovery: $(last_words "$(primary)")"
	# before the first commit, which waits for it
	! has_standby || alive "$(standby)" || join_standby "$(standby)"
	psql_do -d postgres <"$TOP/db/bootstrap.sql" >"$DIR/log/bootstrap.console" 2>&1 || die "db/bootstrap.sql: $(last_words bootstrap)"
	[ "$(psql_do -d postgres -c "select 1 from pg_database where datname = 'table_order'")" = 1 ] ||
		psql_do -d postgres -c 'create database table_order owner table_order_owner' || die 'cannot create the database table_order'
}

start_postgres2() {
	start_postgres
}

start_redis() {
	given REDIS_URL || alive redis && return 0
	spawn redis redis-server --port 0 --unixsocket "$DIR/run/redis.sock" --unixsocketperm 700 \
		--dir "$DIR/redis" --save '' --appendonly no --maxmemory 64mb --maxmemory-policy allkeys-lru
	came_up redis 20 redis_answers || die "Redis $problem: $(last_words redis)"
}

redis_answers() {
	[ "$(as redis-cli -s "$DIR/run/redis.sock" ping)" = PONG ]
}

# RabbitMQ needs its node's directory (epmd) beside it, on a port of its own. A port that another process took in the
# meantime shows as a broker that ends at once: then all three are drawn again.
start_rabbitmq() {
	given RABBITMQ_URL && return 0
	alive rabbitmq && alive epmd && return 0
	[ -e "$DIR/rabbitmq/.erlang.cookie" ] || as sh -c "umask 077; openssl rand -hex 24 >'$DIR/rabbitmq/.erlang.cookie'; chmod 400 '$DIR/rabbitmq/.erlang.cookie'
		openssl rand -hex 12 >'$DIR/rabbitmq/password'; echo '[].' >'$DIR/rabbitmq/plugins'"
	for _ in 1 2 3 4; do
		[ -e "$DIR/rabbitmq/ports" ] || echo "$(free_port) $(free_port) $(free_port)" >"$DIR/rabbitmq/ports"
		launch_rabbitmq && return 0
		grep -q 'eaddrinuse\|already_running\|address already in use' "$DIR/log/rabbitmq.console" "$DIR/log/epmd.console" || break
		rm "$DIR/rabbitmq/ports"
	done
	die "RabbitMQ $problem: $(grep -m 1 -iE 'error|failed' "$DIR/log/rabbitmq.console" || last_words epmd)"
}

launch_rabbitmq() {
	read -r amqp_port dist_port epmd_port <"$DIR/rabbitmq/ports"
	signal KILL rabbitmq epmd
	gone 5 rabbitmq epmd
	spawn epmd epmd -address 127.0.0.1 -port "$epmd_port"
	came_up epmd 5 port_is_busy "$epmd_port" || return 1
	as sh -c "cat >'$DIR/rabbitmq/rabbitmq.conf'" <<-CONF
		listeners.tcp.1 = 127.0.0.1:$amqp_port
		default_vhost = table-order
		default_user = table_order
		default_pass = $(cat "$DIR/rabbitmq/password")
		vm_memory_high_watermark.absolute = 256MB
		disk_free_limit.absolute = 10MB
		log.console = false
		log.file = $DIR/log/rabbitmq.log
		log.file.level = info
	CONF
	# a drill's
	[ ! -e "$DIR/rabbitmq/tls.conf" ] || as sh -c "cat '$DIR/rabbitmq/tls.conf' >>'$DIR/rabbitmq/rabbitmq.conf'"
	# "detached" makes the start script become the broker instead of watching over it
	spawn rabbitmq env HOME="$DIR/rabbitmq" detached=1 RABBITMQ_NODENAME=table_order@localhost \
		RABBITMQ_MNESIA_BASE="$DIR/rabbitmq/mnesia" RABBITMQ_LOG_BASE="$DIR/log" RABBITMQ_PID_FILE="$DIR/rabbitmq/pid" \
		RABBITMQ_CONFIG_FILE="$DIR/rabbitmq/rabbitmq.conf" RABBITMQ_CONF_ENV_FILE=/dev/null \
		RABBITMQ_ENABLED_PLUGINS_FILE="$DIR/rabbitmq/plugins" RABBITMQ_DIST_PORT="$dist_port" \
		ERL_EPMD_PORT="$epmd_port" ERL_EPMD_ADDRESS=127.0.0.1 ERL_CRASH_DUMP="$DIR/log/rabbitmq.dump" \
		RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='+S 1:1 +sbwt none +A 16 -kernel inet_dist_use_interface {127,0,0,1}' \
		/usr/lib/rabbitmq/bin/rabbitmq-server
	came_up rabbitmq 90 grep -q 'completed with' "$DIR/log/rabbitmq.console"
}

# start_web: on the port asked for, else on the one of last time, else on the preferred one, else on any
start_web() {
	alive "$WEB_SERVER" && return 0
	for _ in 1 2 3 4 5; do
		WEB_PORT=${PORT:-$(cat "$DIR/$WEB_SERVER/port" 2>/dev/null || echo "${PREFER_PORT:-$(free_port)}")}
		choose_http_port
		if ! port_is_busy "$WEB_PORT" && "launch_$WEB_SERVER"; then
			echo "$WEB_PORT" >"$DIR/$WEB_SERVER/port"
			return 0
		fi
		if [ -n "$PORT" ] && { port_is_busy "$PORT" || grep -qE 'bind\(\)|make_sock' "$DIR/log/$WEB_SERVER.console"; }; then
			die "port $PORT is taken: stop what listens there, or choose another with PORT=n"
		fi
		port_is_busy "$WEB_PORT" || break
		echo "stack: port $WEB_PORT is taken; taking another" >&2
		rm -f "$DIR/$WEB_SERVER/port"
		PREFER_PORT=
	done
	die "$WEB_SERVER ${problem:-found no free port}: $(last_words "$WEB_SERVER")"
}

# with https, http has a port of its own, from which all are sent on
choose_http_port() {
	HTTP_PORT=$WEB_PORT
	[ "$HTTPS" = 1 ] || return 0
	HTTP_PORT=$(cat "$DIR/$WEB_SERVER/http-port" 2>/dev/null || free_port)
	while [ "$HTTP_PORT" = "$WEB_PORT" ] || port_is_busy "$HTTP_PORT"; do
		HTTP_PORT=$(free_port)
	done
	echo "$HTTP_PORT" >"$DIR/$WEB_SERVER/http-port"
}

scheme() {
	case $HTTPS in 1) echo https ;; *) echo http ;; esac
}

web_url() {
	echo "$(scheme)://127.0.0.1:$(cat "$DIR/$WEB_SERVER/port")"
}

# A certificate for this machine, signed by an authority that signs this one and no other: its key is thrown away.
make_certificate() {
	[ ! -e "$DIR/tls/cert.pem" ] || ! openssl x509 -in "$DIR/tls/cert.pem" -noout -checkend 86400 >/dev/null || return 0
	printf '%s\n' 'basicConstraints=CA:FALSE' 'keyUsage=critical,digitalSignature' 'extendedKeyUsage=serverAuth' \
		'subjectAltName=DNS:localhost,IP:127.0.0.1' >"$DIR/tls/extensions"
	{
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$DIR/tls/ca.key" -out "$DIR/tls/ca.pem" \
			-days 397 -subj "/CN=table-order: one certificate only" -addext 'keyUsage=critical,keyCertSign' &&
			openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$DIR/tls/key.pem" -out "$DIR/tls/request" \
				-subj /CN=localhost &&
			openssl x509 -req -in "$DIR/tls/request" -CA "$DIR/tls/ca.pem" -CAkey "$DIR/tls/ca.key" -set_serial "0x$(openssl rand -hex 16)" \
				-days 397 -extfile "$DIR/tls/extensions" -out "$DIR/tls/cert.pem"
	} >"$DIR/log/certificate.console" 2>&1 || die "no certificate was made: $(last_words certificate)"
	rm "$DIR/tls/ca.key" "$DIR/tls/request" "$DIR/tls/extensions"
	chmod 755 "$DIR/tls"
	chmod 644 "$DIR/tls/ca.pem" "$DIR/tls/cert.pem"
	[ -z "$RUN_USER" ] || chown "$RUN_USER:" "$DIR/tls/key.pem"
}

# what the web server is told about the programs; WEB_PORT and HTTP_PORT are set
write_web_conf() {
	"$TOP/scripts/gather-routes" "$CGI_BIN" >"$DIR/routes" || die "the programs' routes are not known"
	"$TOP/scripts/$WEB_SERVER-routes" "$DIR/routes" >"$DIR/$WEB_SERVER/routes" || die 'the web server has no routes'
	chmod 644 "$DIR/$WEB_SERVER/routes"
	rm -f "$DIR/$WEB_SERVER/tls.conf"
	if [ "$HTTPS" = 1 ]; then
		make_certificate
		render "$WEB_SERVER/table-order-tls.conf" "$WEB_SERVER/tls.conf"
	fi
	case $WEB_SERVER in
	nginx)
		render nginx/nginx.conf nginx/nginx.conf
		render nginx/table-order.conf nginx/table-order.conf
		;;
	apache)
		render apache/httpd.conf apache/httpd.conf
		render apache/table-order-common.conf apache/common.conf
		render "apache/$(apache_site).conf" apache/site.conf
		render apache/table-order-redirect.conf apache/redirect.conf
		for page in stream-away.asis bad-gateway.asis picture-method.asis; do
			install -D -m 644 "$TOP/etc/apache/$page" "$DIR/apache/pages/$page"
		done
		chmod 755 "$DIR/apache/pages"
		;;
	esac
}

apache_site() {
	case $WEB in
	apache-proxy) echo table-order-proxy-fcgi ;;
	*) echo "table-order-${WEB#apache-}" ;;
	esac
}

launch_nginx() {
	write_web_conf
	rm -f "$DIR/nginx/nginx.pid"
	spawn nginx /usr/sbin/nginx -e stderr -p "$DIR/nginx" -c "$DIR/nginx/nginx.conf"
	# it writes the pid file once the port is its own
	came_up nginx 10 test -s "$DIR/nginx/nginx.pid"
}

launch_apache() {
	write_web_conf
	rm -f "$DIR/apache/apache.pid"
	spawn apache /usr/sbin/apache2 -D FOREGROUND -D "$WEB" -D "$(scheme)" -f "$DIR/apache/httpd.conf"
	came_up apache 10 port_is_busy "$WEB_PORT"
}

# render NAME FILE: etc/NAME.in with this installation's places filled in
render() {
	uploads=$(sed -n 's/^UPLOAD_DIR=//p' "$DIR/settings")
	# nginx takes both in one server, Apache in two
	case $WEB_SERVER in nginx) listen=$HTTP_PORT ;; *) listen=$WEB_PORT ;; esac
	sed -e "s|@DIR@|$DIR|g; s|@RUN_DIR@|$DIR/run|g; s|@LOG_DIR@|$DIR/log|g; s|@UPLOAD_DIR@|${uploads:-$DIR/uploads}|g; s|@CGI_BIN@|$CGI_BIN|g" \
		-e "s|@LISTEN@|127.0.0.1:$listen|g; s|@LISTEN_TLS@|127.0.0.1:$WEB_PORT|g; s|@LISTEN_HTTP@|127.0.0.1:$HTTP_PORT|g" \
		-e "s|@TLS@|$DIR/$WEB_SERVER/tls|g; s|@CERTIFICATE@|$DIR/tls/cert.pem|g; s|@KEY@|$DIR/tls/key.pem|g" \
		-e "s|@PUBLIC_URL@|$(scheme)://127.0.0.1:$WEB_PORT|g; s|@SSE_LISTEN@|unix:$DIR/run/sse-relay.sock|g; s|@ROUTES@|$DIR/$WEB_SERVER/routes|g" \
		-e "s,@SSE_PROXY@,unix:$DIR/run/sse-relay.sock|http://table-order-relay,g; s|@ENV@|$DIR/table-order.env|g" \
		-e "s|@COMMON@|$DIR/apache/common.conf|g; s|@PAGES@|$DIR/apache/pages|g" \
		"$TOP/etc/$1.in" >"$DIR/$2"
	chmod 644 "$DIR/$2"
}
