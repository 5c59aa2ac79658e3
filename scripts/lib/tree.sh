# shellcheck shell=sh
# What quickstart and run-tests share: who works in this source tree, and where. Needs TOP and die.

# A root that works in somebody's tree (sudo) goes on as its owner, so that nothing of root's is left in it.
become_owner() {
	uid=$(stat -c %u "$TOP")
	if [ "$(id -u)" = 0 ] && [ "$uid" != 0 ] && owner=$(getent passwd "$uid"); then
		cd "$TOP" || exit
		exec setpriv --reuid "$uid" --regid "$(stat -c %g "$TOP")" --init-groups \
			env HOME="$(echo "$owner" | cut -d: -f6)" "$0" "$@"
	fi
	return 0
}

# Everything is made under var. Where root's tree is closed to others (/root is), var is a link to a directory that the
# servers' user can reach.
open_var() {
	if [ ! -e "$TOP/var" ]; then
		rm -f "$TOP/var"
		if [ "$(id -u)" = 0 ] && ! setpriv --reuid www-data --regid www-data --clear-groups test -x "$TOP"; then
			away=$(mktemp -d /var/lib/table-order.XXXXXX)
			chmod 755 "$away"
			ln -s "$away" "$TOP/var"
		else
			mkdir "$TOP/var" || die "cannot write in $TOP"
		fi
	fi
	VAR=$(cd "$TOP/var" && pwd -P)
}
