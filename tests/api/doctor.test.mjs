/** orderctl doctor: all is well with a healthy installation, and each of many planted faults is found. */
import assert from 'node:assert/strict';
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import https from 'node:https';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { deleteExchange } from './lib/amqp.mjs';
import { Client } from './lib/client.mjs';
import { sql } from './lib/sql.mjs';
import { isOfDoctor, metricsInUse } from './lib/monitoring.mjs';
import { SOURCE, WEB, ownStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';
import { until } from './lib/until.mjs';

/**
 * @typedef {{name: string, status: string, seen: string, remedy?: string}} Finding
 * @typedef {{code: number, checks: Map<string, Finding>, failed: number, warnings: number, text: string}} Findings
 * @typedef {{check: string, status?: string, seen: RegExp, env?: () => Record<string, string>, plant?: () => any, undo?: () => any, also?: string[], well?: string[]}} Fault
 */

const tests = process.env.TABLE_ORDER_TESTS ?? '';
const prefix = join(tests, 'doctor-prefix');
/** @type {import('./lib/stack.mjs').Stack} */
let stack;

before(async () => {
	/* programs of our own, for some are replaced below */
	const installed = process.env.TABLE_ORDER_PREFIX ?? join(SOURCE, 'var/install');
	for (const part of ['bin', 'lib/cgi-bin', 'libexec/table-order'])
		cpSync(join(installed, part), join(prefix, part), { recursive: true });
	process.env.TABLE_ORDER_PREFIX = prefix;
	stack = await ownStack('doctor', {});
	writeFileSync(join(tests, 'stranger.pem'), execFileSync('openssl', ['rsa', '-pubout'], {
		input: execFileSync('openssl', ['genrsa', '2048'], { stdio: ['ignore', 'pipe', 'ignore'] }), stdio: ['pipe', 'pipe', 'ignore'],
	}));
});
after(() => stack?.stop());

/** @param {Record<string, string>} env over the configuration @param {string[]} args @returns {Promise<{code: number, text: string}>} */
function run(env, ...args) {
	return new Promise((done) => {
		execFile(join(prefix, 'bin/orderctl'), ['doctor', ...args], { env: { ...process.env, TABLE_ORDER_ENV: stack.info.env_file, ...env } },
			(error, text) => done({ code: error === null ? 0 : Number(error.code), text }));
	});
}

/** @param {Record<string, string>} [env] @returns {Promise<Findings>} */
async function doctor(env = {}) {
	const { code, text } = await run(env, '--json');
	const { checks, failed, warnings, ...rest } = JSON.parse(text);
	assert.deepEqual(rest, {});
	for (const { name, status, seen, remedy, ...more } of checks) {
		assert.deepEqual(more, {});
		assert.match(name, /^[a-z][a-z-]+$/);
		assert.match(status, /^(ok|warning|failed|skipped)$/);
		assert.match(seen, /^[^\n]+$/, `${name} saw nothing`);
		if (status === 'ok')
			assert.equal(remedy, undefined);
		if (status === 'warning' || status === 'failed')
			assert.match(String(remedy), /^[^\n]{10,}$/, `${name} has no remedy`);
	}
	assert.equal(failed, checks.filter((/** @type {Finding} */ c) => c.status === 'failed').length);
	assert.equal(warnings, checks.filter((/** @type {Finding} */ c) => c.status === 'warning').length);
	assert.equal(code, failed > 0 ? 1 : 0);
	return { code, text, failed, warnings, checks: new Map(checks.map((/** @type {Finding} */ c) => [c.name, c])) };
}

/** As the superuser. @param {string} text @param {string} [database] */
async function superSql(text, database = 'table_order') {
	const url = `postgresql://postgres@${encodeURIComponent(join(stack.dir, 'run'))}:5432/${database}`;
	return sql(/** @type {any} */ ({ env: { DATABASE_OWNER_URL: url } }), text);
}

/** @param {string} setting @param {string} value psql runs each in one transaction, which ALTER SYSTEM does not bear. */
function alterSystem(setting, value) {
	execFileSync('psql', ['-XqAt', '-h', join(stack.dir, 'run'), '-U', 'postgres', '-c', `alter system set ${setting} = '${value}'`,
		'-c', 'select pg_reload_conf()', 'postgres'], { stdio: 'ignore' });
}

/** @param {string[]} command */
function redis(...command) {
	execFileSync('redis-cli', ['-s', join(stack.dir, 'run/redis.sock'), ...command], { stdio: 'ignore' });
}

/** @param {string} name @param {'SIGSTOP' | 'SIGCONT'} signal */
function freeze(name, signal) {
	process.kill(Number(stack.pid(name)), signal);
}

const healthy = () => until('health', async () => (await new Client(stack).get('/health')).json?.status === 'up', 60000);
const file = (/** @type {string} */ name) => join(stack.dir, name);
const server = WEB.replace(/-.*/, '');

/** @type {Record<string, Fault>} */
const faults = {
	'a wrong value in the configuration': { check: 'configuration', seen: /BCRYPT_COST: must be a whole number/, env: () => ({ BCRYPT_COST: '99' }), well: ['database', 'stream'] },
	'a private key that everybody can read': {
		check: 'secrets', seen: /private\.pem: everybody can read it/, plant: () => chmodSync(file('keys/private.pem'), 0o644), undo: () => chmodSync(file('keys/private.pem'), 0o600), also: ['configuration', 'keys'],
	},
	'a configuration that its group can change': {
		check: 'secrets', seen: /table-order\.env: others than its owner can change it/, plant: () => chmodSync(stack.info.env_file, 0o660), undo: () => chmodSync(stack.info.env_file, 0o600),
	},
	'keys that do not match': { check: 'keys', seen: /its public key is not among JWT_PUBLIC_KEYS/, env: () => ({ JWT_PUBLIC_KEYS_FILE: join(tests, 'stranger.pem') }), well: ['public-url'] },
	'a missing log directory': { check: 'log-dir', seen: /nowhere is no directory/, env: () => ({ LOG_DIR: file('nowhere') }) },
	'a picture directory that is a file': { check: 'upload-dir', seen: /is no directory/, env: () => ({ UPLOAD_DIR: stack.info.env_file }) },
	'pictures that cannot be written': {
		check: 'upload-dir', seen: /cannot write in .*uploads/, plant: () => chmodSync(file('uploads'), 0o555), undo: () => chmodSync(file('uploads'), 0o700), well: ['log-dir'],
	},
	'a log that goes back for days': {
		check: 'logs', seen: /^[^ ]*old\.log goes back 5[12] hours$/, undo: () => rmSync(file('log/old.log')),
		plant: () => writeFileSync(file('log/old.log'), `{"time":"${new Date(Date.now() - 51.5 * 3600e3).toISOString()}","level":"INFO"}\n`),
	},
	'a log that has grown': {
		check: 'logs', seen: /^[^ ]*big\.log has 301 MB$/, undo: () => rmSync(file('log/big.log')),
		plant: () => {
			writeFileSync(file('log/big.log'), '');
			truncateSync(file('log/big.log'), 301 << 20);
		},
	},
	'a missing directory of sockets': { check: 'run-dir', seen: /nowhere is no directory/, env: () => ({ RUN_DIR: file('nowhere') }) },

	'no database': {
		check: 'database', seen: /No such file or directory|refused/, plant: () => stack.part('stop', 'postgres'), undo: () => stack.part('start', 'postgres'),
		also: ['database-owner', 'database-dispatcher', 'database-relay', 'public-url'], well: ['redis', 'rabbitmq', 'sockets'],
	},
	'a role that is not there': { check: 'database-relay', seen: /role "nobody" does not exist/, env: () => ({ RELAY_DATABASE_URL: stack.env.RELAY_DATABASE_URL.replace('table_order_relay', 'nobody') }) },
	'a database that takes no writes': {
		check: 'database', seen: /read-only/, plant: () => superSql('alter role table_order_service set default_transaction_read_only = on'),
		undo: () => superSql('alter role table_order_service reset default_transaction_read_only'), well: ['database-owner'],
	},
	'a standby that does not come': {
		check: 'database-standby', seen: /commits wait for 1 of nobody, and 0 is there/, plant: () => alterSystem('synchronous_standby_names', 'nobody'), undo: () => alterSystem('synchronous_standby_names', ''),
		also: ['database-commit'], well: ['schema'],
	},
	'commits that wait for nothing': {
		check: 'database-commit', seen: /synchronous_commit is off/, plant: () => superSql('alter role table_order_service set synchronous_commit = off'),
		undo: () => superSql('alter role table_order_service reset synchronous_commit'),
	},
	'a service that passes by row-level security': {
		check: 'database-roles', seen: /table_order_service passes by row-level security/, plant: () => superSql('alter role table_order_service bypassrls'),
		undo: () => superSql('alter role table_order_service nobypassrls'),
	},
	'a table without forced row-level security': {
		check: 'row-security', seen: /not forced on menus$/, plant: () => sql(stack, 'alter table menus no force row level security'), undo: () => sql(stack, 'alter table menus force row level security'),
	},
	'a schema one migration behind': {
		check: 'schema', seen: /not deployed: order_lines/, plant: () => sql(stack, "update sqitch.changes set change = 'gone' where change = 'order_lines'"),
		undo: () => sql(stack, "update sqitch.changes set change = 'order_lines' where change = 'gone'"),
	},
	'a schema newer than the programs': {
		check: 'schema', status: 'warning', seen: /newer than these programs: later/,
		plant: () => sql(stack, `insert into sqitch.changes select 'x', 'x', 'later', project, note, committed_at, committer_name, committer_email, planned_at, planner_name, planner_email
			from sqitch.changes where change = 'order_lines'`),
		undo: () => sql(stack, "delete from sqitch.changes where change_id = 'x'"),
	},
	'more connections than the database has': { check: 'database-connections', seen: /147 connections.*DB_POOL_SIZE of this host is 1000/, env: () => ({ DB_POOL_SIZE: '1000' }) },
	'no history for the next month': {
		check: 'history-months', seen: /^not made for \d{4}-\d\d$/, plant: () => renameMonth('order_history_y', 'gone_y'), undo: () => renameMonth('gone_y', 'order_history_y'),
	},
	'maintenance that does not run': {
		check: 'maintenance', seen: /failed logins/,
		plant: () => sql(stack, "insert into login_failures (account, address, failed_at) values ('doctor', '192.0.2.1', now() - interval '9 days')"),
		undo: () => sql(stack, "delete from login_failures where account = 'doctor'"),
	},
	'a stuck outbox': {
		check: 'outbox', seen: /events wait, the oldest for 3\d\d\d s/,
		plant: async () => {
			const store = await newStore(stack);
			await store.order(0);
			await stack.part('stop', 'outbox-dispatcher');
			await store.sql("update events set published_at = null, occurred_at = now() - interval '1 hour' where store_id = :'store'");
		},
		undo: () => stack.part('start', 'outbox-dispatcher'), also: ['dispatcher', 'programs'],
	},

	'no Redis': { check: 'redis', seen: /does not answer: /, plant: () => stack.part('stop', 'redis'), undo: () => stack.part('start', 'redis'), well: ['database', 'stream'] },
	'a frozen Redis': { check: 'redis', seen: /does not answer: /, plant: () => freeze('redis', 'SIGSTOP'), undo: () => freeze('redis', 'SIGCONT'), well: ['database', 'rabbitmq', 'stream'] },
	'a Redis that takes nothing more once it is full': {
		check: 'redis-memory', status: 'warning', seen: /noeviction/, plant: () => redis('config', 'set', 'maxmemory-policy', 'noeviction'), undo: () => redis('config', 'set', 'maxmemory-policy', 'allkeys-lru'),
	},
	'no broker': { check: 'rabbitmq', seen: /127\.0\.0\.1:9: cannot connect/, env: () => ({ RABBITMQ_URL: 'amqp://a:b@127.0.0.1:9/x' }) },
	'a broker with another password': { check: 'rabbitmq', seen: /ACCESS_REFUSED|closed|refused/i, env: () => ({ RABBITMQ_URL: stack.env.RABBITMQ_URL.replace(/:[^:@]*@/, ':wrong@') }) },
	'a lost exchange': {
		check: 'rabbitmq-exchange', seen: /NOT_FOUND/, plant: () => deleteExchange(stack.env.RABBITMQ_URL, 'table-order-events'),
		undo: async () => {
			await stack.part('restart', 'outbox-dispatcher');
			await stack.part('restart', 'sse-relay');
		},
	},

	'a program without its socket': {
		check: 'sockets', seen: /menu\.sock: No such file or directory$/, plant: () => renameSync(file('run/menu.sock'), file('run/menu.gone')), undo: () => renameSync(file('run/menu.gone'), file('run/menu.sock')),
	},
	'a program that has gone and left its socket': { check: 'sockets', seen: /menu\.sock: Connection refused$/, plant: () => stack.part('stop', 'menu'), undo: () => stack.part('start', 'menu') },
	'a frozen program': { check: 'sockets', seen: /^menu does not answer/, plant: () => freeze('menu', 'SIGSTOP'), undo: () => freeze('menu', 'SIGCONT'), well: ['public-url', 'stream'] },
	'no relay': {
		check: 'relay', seen: /sse-relay\.sock: /, plant: () => stack.part('stop', 'sse-relay'), undo: () => stack.part('start', 'sse-relay'), also: ['stream', 'programs'], well: ['public-url'],
	},
	'a program that runs from a replaced file': {
		check: 'programs', seen: /^menu \(process \d+\) runs from a file that has been replaced$/,
		plant: () => {
			copyFileSync(join(prefix, 'lib/cgi-bin/menu'), join(prefix, 'lib/cgi-bin/menu.new'));
			renameSync(join(prefix, 'lib/cgi-bin/menu.new'), join(prefix, 'lib/cgi-bin/menu'));
		},
		undo: () => stack.part('restart', 'menu'),
	},
	'a unit that failed, and a timer that somebody stopped': {
		check: 'units', seen: /^table-order-maintenance\.service failed; table-order-logrotate\.timer is stopped$/,
		env: () => systemctl('table-order-backup.service loaded failed failed table-order backup\ntable-order-backup.timer loaded active waiting x\n'
			+ 'table-order-maintenance.service loaded failed failed table-order nightly maintenance\ntable-order-logrotate.timer loaded inactive dead x\n'),
	},
	'no web server': { check: 'public-url', seen: /\/health: Failed to connect|refused/, plant: () => stack.part('stop', server), undo: () => stack.part('start', server), well: ['sockets', 'relay'] },
	'another server at PUBLIC_URL': { check: 'public-url', seen: /not from table-order's status/, env: () => ({ PUBLIC_URL: `http://127.0.0.1:${stack.url.port}/images` }) },
	'http where guests are': { check: 'tls', status: 'warning', seen: /openly/, env: () => ({ PUBLIC_URL: 'http://0.0.0.0:9' }), also: ['public-url'] },
};

/** A systemctl that says so. @param {string} text @returns {Record<string, string>} */
function systemctl(text) {
	const dir = join(tests, 'systemctl');
	mkdirSync(dir, { recursive: true });
	writeFileSync(join(dir, 'systemctl'), `#!/bin/sh\ncat <<'END'\n${text}END\n`, { mode: 0o755 });
	return { PATH: `${dir}:${process.env.PATH}` };
}

/** Renames the partition of the next month. @param {string} from @param {string} to */
function renameMonth(from, to) {
	return sql(stack, `select format('alter table %I rename to %I', :'from' || m, :'to' || m)
		from to_char(date_trunc('month', now() at time zone 'UTC') + interval '1 month', 'YYYY"m"MM') m \\gexec`, { from, to });
}

describe('orderctl doctor', () => {
	test('finds nothing wrong with a healthy installation', async () => {
		await healthy();
		const found = await doctor();
		assert.equal(found.failed, 0, found.text);
		/* a stack for tests has no standby, no checksums, no certificate, no units, and no encrypted disk of its own */
		for (const { name, status } of found.checks.values())
			if (!/^(database-(standby|checksums)|encryption-.*|tls|units)$/.test(name))
				assert.equal(status, 'ok', `${name}: ${found.text}`);
		assert.equal(found.checks.get('tls')?.status, 'skipped');
		for (const dir of ['postgres', 'run', 'log', 'uploads'])
			assert.match(String(found.checks.get('disk-space')?.seen), new RegExp(`${file(dir)}: \\d+ MB free`));
	});
	test('prints a line for each check, and what to do below it', async () => {
		const { code, text } = await run({ UPLOAD_DIR: file('nowhere') });
		assert.equal(code, 1);
		assert.match(text, /^ok {7}database {13}table_order_service at /m);
		assert.match(text, /^failed {3}upload-dir {11}UPLOAD_DIR: .*\n {30}-> install -d -o /m);
		assert.match(text, /^\d+ ok, \d+ with a warning, \d+ failed, \d+ skipped$/m);
		assert.doesNotMatch(text, /\x1b|\r/);
	});
	test('tells Prometheus what failed, and prints nothing else', async () => {
		const dir = join(tests, 'doctor-metrics'), prom = join(dir, 'doctor.prom');
		mkdirSync(dir, { recursive: true });
		/** Whether each check failed, by the file. */
		const failed = () => new Map([...readFileSync(prom, 'utf8').matchAll(/^table_order_doctor_failed\{check="([a-z-]+)"\} ([01])$/gm)].map(([, check, is]) => [check, is === '1']));
		const well = await run(systemctl('table-order-backup.timer loaded active waiting x\n'), '--metrics', prom);
		assert.deepEqual(well, { code: 0, text: '' });
		const { checks } = await doctor();
		assert.deepEqual([...failed().keys()], [...checks.keys()]);
		assert.ok([...failed().values()].every((is) => !is));
		const ill = await run({ UPLOAD_DIR: file('nowhere') }, '--metrics', prom);
		assert.equal(ill.code, 1);
		assert.match(ill.text, /^failed {3}upload-dir {11}UPLOAD_DIR: [^\n]*\n {30}-> [^\n]*\n$/);
		assert.deepEqual([...failed()].filter(([, is]) => is).map(([check]) => check), ['upload-dir']);
		const text = readFileSync(prom, 'utf8'), promtool = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
		assert.deepEqual([promtool.stdout, promtool.stderr, promtool.status], ['', '', 0]);
		const age = Date.now() / 1000 - Number(/^table_order_doctor_last_run_timestamp_seconds (\d+)$/m.exec(text)?.[1]);
		assert.ok(age > -1 && age < 60, text);
		for (const name of metricsInUse().filter(isOfDoctor))
			assert.match(text, new RegExp(`^# TYPE ${name} gauge$`, 'm'));
		assert.equal(statSync(prom).mode & 0o777, 0o644);
		assert.deepEqual(readdirSync(dir), ['doctor.prom']);
		assert.equal((await run({}, '--metrics', join(dir, 'nowhere/doctor.prom'))).code, 1);
	});
	test('does what its manual says, no more and no less', async () => {
		const page = readFileSync(join(SOURCE, 'man/orderctl.8'), 'utf8');
		const described = [...page.matchAll(/^\.It Sy (.*)$/gm)].flatMap(([, names]) => names.split(' , '));
		assert.deepEqual(described.sort(), [...(await doctor()).checks.keys()].sort());
	});
	test('leaves nothing behind', async () => {
		const count = () => sql(stack, 'select (select count(*) from events), (select count(*) from idempotency_keys), (select count(*) from revoked_tokens), (select sum(token_generation) from admins)');
		const before = await count();
		await doctor();
		assert.equal(await count(), before);
	});
});

describe('orderctl doctor finds', () => {
	for (const [name, fault] of Object.entries(faults)) {
		test(name, async () => {
			await fault.plant?.();
			/** @type {Findings} */
			let found;
			const start = performance.now();
			try {
				found = await doctor(fault.env?.());
			} finally {
				await fault.undo?.();
			}
			assert.ok(performance.now() - start < 60000, 'one fault held all up');
			const status = fault.status ?? 'failed';
			const check = found.checks.get(fault.check);
			assert.equal(check?.status, status, found.text);
			assert.match(String(check?.seen), fault.seen);
			for (const also of fault.also ?? [])
				assert.equal(found.checks.get(also)?.status, 'failed', `${also}: ${found.text}`);
			for (const well of fault.well ?? [])
				assert.equal(found.checks.get(well)?.status, 'ok', `${well}: ${found.text}`);
			if (fault.plant !== undefined)
				await healthy();
		});
	}

	test('data, WAL, pictures and backups in the clear, unless that is allowed', async () => {
		const allowed = await doctor();
		const config = join(tests, 'pgbackrest.conf');
		writeFileSync(config, '[global]\nrepo1-path=/var/lib/pgbackrest\nrepo1-cipher-type=aes-256-cbc\nrepo2-type=s3\nrepo2-cipher-type=aes-256-cbc\n[table-order]\npg1-path=/x\n');
		const forbidden = await doctor({ ALLOW_UNENCRYPTED: '0', PGBACKREST_CONFIG: config });
		for (const part of ['data', 'wal', 'uploads']) {
			const [free, strict] = [allowed, forbidden].map((found) => found.checks.get(`encryption-${part}`));
			/* the disk of whoever runs this may be encrypted */
			if (free?.status === 'ok')
				assert.equal(strict?.status, 'ok');
			else
				assert.deepEqual([free?.status, strict?.status], ['warning', 'failed'], forbidden.text);
			assert.equal(strict?.seen, free?.seen);
		}
		assert.equal(forbidden.checks.get('encryption-backups')?.seen, 'repo1: aes-256-cbc; repo2: aes-256-cbc');
		assert.equal(forbidden.checks.get('encryption-backups')?.status, 'ok');
		writeFileSync(config, '[global]\nrepo1-type=s3\nrepo1-path=/x\n[table-order]\npg1-path=/x\n');
		const bare = await doctor({ ALLOW_UNENCRYPTED: '0', PGBACKREST_CONFIG: config });
		assert.match(String(bare.checks.get('encryption-backups')?.seen), /elsewhere is not encrypted/);
		assert.equal(bare.checks.get('encryption-backups')?.status, 'failed');
		writeFileSync(config, '[global]\nrepo1-path=/var/lib/pgbackrest\n');
		const bundled = await doctor({ ALLOW_UNENCRYPTED: '0', PGBACKREST_CONFIG: config });
		assert.match(String(bundled.checks.get('encryption-backups')?.seen), /no backup is set up.*: no stanza/);
		/* as at the first setup, which ends well on encrypted disks all the same */
		const none = await doctor({ ALLOW_UNENCRYPTED: '0', PGBACKREST_CONFIG: join(tests, 'no-such.conf') });
		assert.match(String(none.checks.get('encryption-backups')?.seen), /no backup is set up/);
		assert.deepEqual([bundled, none].map((found) => found.checks.get('encryption-backups')?.status), ['warning', 'warning']);
	});
});

describe('orderctl doctor looks at a certificate:', () => {
	/** @type {https.Server} */
	let front;
	const [key, cert] = ['front.key', 'front.pem'].map((name) => join(tests, name));

	/** @param {number} days @param {import('node:tls').SecureVersion} minVersion @param {string} trusted */
	async function look(days, minVersion = 'TLSv1.2', trusted = cert) {
		execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', String(days), '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'], { stdio: 'ignore' });
		front = https.createServer({ key: readFileSync(key), cert: readFileSync(cert), minVersion, ciphers: 'DEFAULT@SECLEVEL=0' }, async (request, response) => {
			const answer = await new Client(stack).get(String(request.url));
			response.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(answer.text);
		});
		await new Promise((done) => { front.listen(0, '127.0.0.1', () => done(undefined)); });
		const { port } = /** @type {import('node:net').AddressInfo} */ (front.address());
		try {
			return await doctor({ PUBLIC_URL: `https://localhost:${port}`, SSL_CERT_FILE: trusted });
		} finally {
			front.closeAllConnections();
			front.close();
		}
	}

	test('one that is good for long', async () => {
		const found = await look(90);
		assert.equal(found.checks.get('public-url')?.status, 'ok', found.text);
		assert.equal(found.checks.get('tls')?.status, 'ok');
		assert.match(String(found.checks.get('tls')?.seen), /^the certificate holds for (89|90) days$/);
	});
	test('one that expires soon', async () => {
		assert.equal((await look(15)).checks.get('tls')?.status, 'warning');
		assert.equal((await look(3)).checks.get('tls')?.status, 'failed');
	});
	test('a server that takes TLS 1.1', async () => {
		const { checks } = await look(90, 'TLSv1.1');
		assert.equal(checks.get('tls')?.status, 'failed');
		assert.match(String(checks.get('tls')?.seen), /TLS 1\.1 or older is taken/);
	});
	test('one that nobody trusts', async () => {
		const found = await look(90, 'TLSv1.2', '/dev/null');
		assert.equal(found.checks.get('public-url')?.status, 'failed');
		assert.match(String(found.checks.get('public-url')?.remedy), /SSL_CERT_FILE/);
		assert.equal(found.checks.get('tls')?.status, 'ok');
	});
});
