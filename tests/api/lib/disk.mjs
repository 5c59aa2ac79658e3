/** Small file systems for directories of an installation, so that they can be full. Mounting needs root. */
import { execFileSync } from 'node:child_process';
import { chownSync, closeSync, mkdirSync, openSync, renameSync, rmSync, statSync, symlinkSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Why there is none here; false when there is. Given to node's test as `skip`. */
export const noDisks = (() => {
	const dir = join(process.env.TABLE_ORDER_TESTS ?? '', `mount-${process.pid}`);
	try {
		mkdirSync(dir);
		execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir], { stdio: 'ignore' });
		execFileSync('umount', [dir]);
		return false;
	} catch {
		return 'a disk that can be full is mounted, which needs root';
	} finally {
		rmSync(dir, { recursive: true, force: true });
	}
})();

/** @type {Set<Disk>} */
const mounted = new Set();
/* a test that is broken off leaves no mount */
process.on('exit', () => mounted.forEach((disk) => disk.remove()));
for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT']))
	process.once(signal, () => process.exit(1));

export class Disk {
	/** @type {string | undefined} what it stands for */
	dir = undefined;

	/**
	 * Mounts one on a directory, or makes it.
	 * @param {string} root @param {number} mebibytes @param {number} [mode]
	 */
	constructor(root, mebibytes, mode = 0o700) {
		this.root = root;
		this.ballast = join(root, 'ballast');
		mkdirSync(root, { recursive: true });
		execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mebibytes}m,mode=${mode.toString(8)}`, 'tmpfs', root]);
		mounted.add(this);
	}

	/**
	 * Moves a directory that is in use to a disk of its own: all but what is held open in it.
	 * @param {string} dir @param {number} mebibytes
	 */
	static instead(dir, mebibytes) {
		const { uid, gid, mode } = statSync(dir);
		const disk = new Disk(`${dir}.disk`, mebibytes, mode & 0o777);

		chownSync(disk.root, uid, gid);
		execFileSync('cp', ['-a', `${dir}/.`, disk.root]);
		renameSync(dir, `${dir}.before`);
		symlinkSync(disk.root, dir);
		disk.dir = dir;
		return disk;
	}

	/** Leaves no byte free. */
	fill() {
		const fd = openSync(this.ballast, 'a');
		try {
			for (const size of [1 << 20, 1 << 12])
				fillWith(fd, Buffer.alloc(size));
		} finally {
			closeSync(fd);
		}
	}

	free() {
		unlinkSync(this.ballast);
	}

	/** With what is on it; a directory that it stood for is again as it was. */
	remove() {
		mounted.delete(this);
		execFileSync('umount', ['-l', this.root]);
		if (this.dir !== undefined) {
			unlinkSync(this.dir);
			renameSync(`${this.dir}.before`, this.dir);
		}
	}
}

/** @param {number} fd @param {Buffer} bytes */
function fillWith(fd, bytes) {
	try {
		while (writeSync(fd, bytes) === bytes.length)
			continue;
	} catch (error) {
		if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOSPC')
			throw error;
	}
}
