/** Libraries of tests/preload, which stand between the programs of an installation and their libraries. */
import { execFileSync } from 'node:child_process';
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { SOURCE } from './stack.mjs';

/** Where a request can end, in its order; tests/preload/crash.c says what each is. */
export const POINTS = ['begin', 'commit', 'sent', 'committed', 'answer', 'answered'];

/**
 * Builds a library of tests/preload; every installation that this process starts from now on has it.
 * @param {string} name @param {string} dir where it is put @param {string[]} packages that it includes headers of
 */
function preload(name, dir, packages) {
	const library = join(dir, `${name}.so`);
	const flags = packages.length === 0 ? [] : execFileSync('pkg-config', ['--cflags', ...packages], { encoding: 'utf8' }).split(/\s+/).filter(Boolean);

	execFileSync('cc', ['-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror', ...flags, '-o', library, join(SOURCE, `tests/preload/${name}.c`), '-ldl'], { stdio: 'inherit' });
	process.env.TABLE_ORDER_PRELOAD = [process.env.TABLE_ORDER_PRELOAD, library].filter(Boolean).join(':');
	/* AddressSanitizer insists on being the first, which it need not be for these */
	if (process.env.ASAN_OPTIONS !== undefined)
		process.env.ASAN_OPTIONS += ':verify_asan_link_order=0';
}

/** A directory beside the installations, which their user can reach. @param {string} name */
function ownDirectory(name) {
	const dir = join(process.env.TABLE_ORDER_TESTS ?? '', name);

	mkdirSync(dir);
	chmodSync(dir, 0o777);
	return dir;
}

/** The time of day of all programs and servers. To be made before the installation is started. */
export class Clock {
	/** @param {string} name of a directory beside the installations */
	constructor(name) {
		const dir = ownDirectory(name);

		this.file = join(dir, 'offset');
		this.offset = 0;
		this.turn(0);
		process.env.CLOCK_FILE = this.file;
		preload('clock', dir, []);
	}

	/** @param {number} seconds whole ones: forward, or back when it is below 0 */
	turn(seconds) {
		const bytes = Buffer.alloc(8);
		const fd = openSync(this.file, existsSync(this.file) ? 'r+' : 'w', 0o644);

		this.offset += seconds;
		if (endianness() === 'LE')
			bytes.writeBigInt64LE(BigInt(this.offset));
		else
			bytes.writeBigInt64BE(BigInt(this.offset));
		/* in one piece, into the file that they have mapped */
		writeSync(fd, bytes, 0, 8, 0);
		closeSync(fd);
	}

	/** Now, in milliseconds. */
	now() {
		return Date.now() + this.offset * 1000;
	}

	/** At the time, or less than a second later. @param {string} time as Date reads it */
	set(time) {
		this.turn(Math.ceil((Date.parse(time) - this.now()) / 1000));
	}
}

/** Programs that end themselves. To be made before the installation is started. */
export class Crashes {
	/** @param {string} name of a directory beside the installations */
	constructor(name) {
		/* the programs take a file away from here, as another user */
		this.dir = ownDirectory(name);
		process.env.CRASH_DIR = this.dir;
		preload('crash', this.dir, ['libpq', 'fcgi']);
	}

	/** A request ends the program when it comes to the point, once. @param {string} program @param {string} point @param {string} id its X-Request-Id */
	arm(program, point, id) {
		writeFileSync(this.#file(program, point, id), '');
	}

	/** @param {string} program @param {string} point @param {string} id */
	happened(program, point, id) {
		return !existsSync(this.#file(program, point, id));
	}

	/** As tests/preload/crash.c names it. @param {string} program @param {string} point @param {string} id */
	#file(program, point, id) {
		return join(this.dir, `${program}.${point}.${id}`);
	}
}
