# shellcheck shell=sh
# Processes of one installation: started in the background as the run user, known by pid and start time, stopped by nothing else.
# Needs DIR, AS (the words that change the user) and die.

# The kernel's start time of a process that lives (a zombie does not): with the pid it names one process for good.
start_time() {
	# the name in parentheses may hold anything, so count from behind it: 1 is the state, 20 the start time
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
	# shellcheck disable=SC2086
	set -- ${stat##*) }
	[ "$1" = Z ] || echo "${20}"
}

# pid_of NAME: the pid, when that process is still the one that was started
pid_of() {
	[ -e "$DIR/pids/$1" ] || return 1
	read -r pid started <"$DIR/pids/$1" || return 1
	[ -n "$started" ] && [ "$(start_time "$pid")" = "$started" ] && echo "$pid"
}

alive() {
	pid_of "$1" >/dev/null
}

# child_of NAME: the program itself, where NAME's process is a supervisor
child_of() {
	pid=$(pid_of "$1") || return 1
	read -r child <"/proc/$pid/task/$pid/children" || :
	echo "${child%% *}"
}

# as COMMAND ...: run as the run user with a clean environment, in DIR
as() {
	# shellcheck disable=SC2086
	(cd "$DIR" && exec $AS env -i PATH=/usr/local/bin:/usr/bin:/bin HOME="$DIR" LANG=C.UTF-8 LC_ALL=C.UTF-8 $PASSED_ON "$@")
}

# spawn NAME COMMAND ...: start in the background, output to log/NAME.console
spawn() {
	spawned=$1
	shift
	# shellcheck disable=SC2086
	(
		cd "$DIR" && exec setsid $AS env -i PATH=/usr/local/bin:/usr/bin:/bin HOME="$DIR" LANG=C.UTF-8 LC_ALL=C.UTF-8 $PASSED_ON "$@"
	) </dev/null >"$DIR/log/$spawned.console" 2>&1 9>&- &
	echo "$! $(start_time $!)" >"$DIR/pids/$spawned"
}

# wait_until SECONDS COMMAND ...: poll, with a deadline
wait_until() {
	tries=$(($1 * 20))
	shift
	until "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.05
	done
}

dead() {
	! alive "$1"
}

# came_up NAME SECONDS CHECK ...: wait for the check; else $problem tells whether NAME died or took too long
problem=
came_up() {
	name=$1 seconds=$2
	shift 2
	wait_until "$seconds" up_or_dead "$name" "$@" && alive "$name" && return 0
	if alive "$name"; then
		problem="did not come up in $seconds s"
	else
		problem='ended at once'
	fi
	return 1
}

up_or_dead() {
	dead "$1" || {
		shift
		"$@" >/dev/null 2>&1
	}
}

# last_words NAME: one line for an error message, and where the others are
last_words() {
	echo "$(grep -v '^[[:space:]]*$' "$DIR/log/$1.console" 2>/dev/null | tail -n 1) (all of it: $DIR/log/$1.console)"
}

# signal SIGNAL NAME ...: to whichever of them lives
signal() {
	sig=$1
	shift
	for name; do
		if pid=$(pid_of "$name"); then
			kill -s "$sig" "$pid" 2>/dev/null || :
		fi
	done
}

# gone SECONDS NAME ...: wait until all have ended; who does not in time is killed
gone() {
	seconds=$1
	shift
	for name; do
		wait_until "$seconds" dead "$name" || {
			echo "stack: $name did not end in $seconds s and was killed" >&2
			signal KILL "$name"
			wait_until 5 dead "$name" || :
		}
		rm -f "$DIR/pids/$name"
	done
}

# a loopback port that nobody listens on; below the range the kernel gives to clients
free_port() {
	busy=$(busy_ports)
	for port in $(shuf -i 20000-31999 -n 200); do
		case $busy in
		*"$(printf %04X "$port")"*) ;;
		*)
			echo "$port"
			return
			;;
		esac
	done
	die 'no free port between 20000 and 31999'
}

busy_ports() {
	cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk '$4 == "0A" { sub(/.*:/, "", $2); print $2 }'
}

port_is_busy() {
	busy_ports | grep -qx "$(printf %04X "$1")"
}
