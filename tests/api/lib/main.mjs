/**
 * What tests/api/run and tests/drills/run run: one shared installation, node's test runner over the files, and afterwards the
 * end of every installation that was started, whatever happened. With --alone the files share none and run one by one.
 */
import { spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { SOURCE, startStack, stopStack } from './stack.mjs';

const FILES = join(SOURCE, 'tests/api');
const CONCURRENCY = 3;

/**
 * Settings of the installation that most files share. Tests are clients of many addresses: X-Forwarded-For says which, so
 * that the limits of logins keep their defaults and no file gets in another's way.
 */
const SHARED = {
	BCRYPT_COST: '4',
	RATE_LIMIT_PER_MINUTE: '0',
	TRUSTED_PROXIES: '127.0.0.0/8',
	CORS_ALLOWED_ORIGINS: 'https://board.example.com,https://tablet.example.com:8443',
	SSE_REPLAY_EVENTS: '50',
};

/** @type {import('node:child_process').ChildProcess | undefined} */
let runner;
let stopping = '';

/** @param {string[]} files @param {boolean} alone */
function runTests(files, alone) {
	const args = ['--test', `--test-concurrency=${alone ? 1 : CONCURRENCY}`, '--test-reporter=spec', '--test-reporter-destination=stdout'];
	return new Promise((done) => {
		runner = spawn(process.execPath, [...args, ...files], {
			stdio: ['ignore', 'pipe', 'inherit'],
			detached: true,
			env: { ...process.env, NODE_OPTIONS: '' },
		});
		let tail = '', tests = 0;
		runner.stdout?.on('data', (bytes) => {
			process.stdout.write(bytes);
			tail = (tail + bytes).slice(-100000);
			tests = Number(/^ℹ tests (\d+)$/m.exec(tail)?.[1] ?? tests);
		});
		runner.on('close', (code) => done({ code, tests }));
	});
}

/** @param {string} base @param {boolean} keepLogs */
function cleanUp(base, keepLogs) {
	const logs = process.env.TABLE_ORDER_LOGS ?? join(SOURCE, 'var/test-logs/api');
	rmSync(logs, { recursive: true, force: true });
	for (const name of readdirSync(base)) {
		const dir = join(base, name);
		stopStack(dir);
		if (keepLogs && existsSync(join(dir, 'log'))) {
			mkdirSync(logs, { recursive: true });
			cpSync(join(dir, 'log'), join(logs, basename(dir)), { recursive: true });
		}
	}
	rmSync(base, { recursive: true, force: true });
	if (keepLogs)
		console.error(`tests/api: the servers' logs are in ${logs}`);
}

async function main() {
	const alone = process.argv[2] === '--alone';
	const named = process.argv.slice(alone ? 3 : 2).map((file) => resolve(file));
	const files = named.length > 0 ? named : readdirSync(FILES).filter((name) => name.endsWith('.test.mjs')).map((name) => join(FILES, name));
	const base = mkdtempSync(join(tmpdir(), 'to-api.'));
	let failed = true;

	chmodSync(base, 0o755);
	process.env.TABLE_ORDER_TESTS = base;
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
		process.on(signal, () => {
			stopping = signal;
			if (runner?.pid !== undefined)
				process.kill(-runner.pid, 'SIGTERM');
		});
	try {
		if (!alone)
			process.env.TABLE_ORDER_STACK = (await startStack(join(base, 'shared'), SHARED)).dir;
		const { code, tests } = await runTests(files, alone);
		failed = stopping !== '' || code !== 0 || tests === 0;
		if (tests === 0)
			console.error('tests/api: no test ran');
	} catch (error) {
		console.error(`tests/api: ${error instanceof Error ? error.message : error}`);
	} finally {
		cleanUp(base, failed);
	}
	process.exit(failed ? 1 : 0);
}

await main();
