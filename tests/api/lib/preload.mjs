/** Libraries of tests/preload, which stand between the programs of an installation and their libraries. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SOURCE } from './stack.mjs';

/** Where a request can end, in its order; tests/preload/crash.c says what each is. */
export const POINTS = ['begin', 'commit', 'sent', 'committed', 'answer', 'answered'];

/** Preloaded by every installation that this process starts from now on. @param {string} library */
export function preload(library) {
	process.env.TABLE_ORDER_PRELOAD = [process.env.TABLE_ORDER_PRELOAD, library].filter(Boolean).join(':');
	/* AddressSanitizer insists on being the first, which it need not be for these */
	if (process.env.ASAN_OPTIONS !== undefined)
		process.env.ASAN_OPTIONS += ':verify_asan_link_order=0';
}

/** Programs that end themselves. To be made before the installation is started. */
export class Crashes {
	/** @param {string} name of a directory beside the installations */
	constructor(name) {
		this.dir = join(process.env.TABLE_ORDER_TESTS ?? '', name);
		const library = join(this.dir, 'crash.so');

		mkdirSync(this.dir);
		/* the programs take a file away from here, as another user */
		chmodSync(this.dir, 0o777);
		const flags = execFileSync('pkg-config', ['--cflags', 'libpq', 'fcgi'], { encoding: 'utf8' }).split(/\s+/).filter(Boolean);
		execFileSync('cc', ['-shared', '-fPIC', '-O1', '-Wall', '-Wextra', '-Werror', ...flags, '-o', library, join(SOURCE, 'tests/preload/crash.c'), '-ldl'],
			{ stdio: 'inherit' });
		process.env.CRASH_DIR = this.dir;
		preload(library);
	}

	/** The next request of the program that comes to the point ends it. @param {string} program @param {string} point */
	arm(program, point) {
		writeFileSync(join(this.dir, `${program}.${point}`), '');
	}

	/** @param {string} program @param {string} point */
	happened(program, point) {
		return !existsSync(join(this.dir, `${program}.${point}`));
	}
}
