/** Backups: what is in them comes back exactly, old ones go, and what is wrong is found and said in one line. */
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { chmodSync, closeSync, cpSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Backups } from './lib/backup.mjs';
import { assertOk } from './lib/client.mjs';
import { form } from './lib/form.mjs';
import { halves, png } from './lib/picture.mjs';
import { ownStack } from './lib/stack.mjs';
import { newStore } from './lib/store.mjs';
import { until } from './lib/until.mjs';

const DAY_S = 86400;

/** @type {import('./lib/stack.mjs').Stack} */
let stack;
/** @type {import('./lib/store.mjs').Store} */
let store;
/** @type {Backups} */
let backups;
/** the pictures of menus, as files @type {string[]} */
const pictures = [];

before(async () => {
	stack = await ownStack('backup', {});
	backups = new Backups(stack, join(stack.dir, 'backup'));
	await backups.configure();
	store = await newStore(stack, { tables: 4 });
});
after(() => stack?.stop());

/** That the repository is on the database's disk is so here. @param {string} errors */
const lines = (errors) => errors.split('\n').filter((line) => line !== '' && !line.includes('warning: '));

/** @param {import('./lib/backup.mjs').Result} result */
function assertDone({ code, out, errors }) {
	assert.deepEqual(lines(errors), []);
	assert.equal(code, 0, out);
	return out;
}

/** Exit status 1, and one line on standard error that says it. @param {import('./lib/backup.mjs').Result} result @param {RegExp} line */
function assertRefused({ code, errors }, line) {
	assert.match(errors, line);
	assert.deepEqual([code, lines(errors).length], [1, 1], errors);
	assert.match(lines(errors)[0], /^table-order-backup: /);
}

/** @param {string} [name] A menu with a picture. */
async function addPicture(name = '그림') {
	const image = png(60, 40, halves(60, [220, 20, 20], [20, 20, 220]));
	const menu = assertOk(await store.client.post('/api/admin/menus', {
		token: store.admin.token, ...form([['name', name], ['price', '1000'], ['category_id', String(store.categories[0].id)], ['image', image, 'picture.png']]),
	}), 201);
	pictures.push(...[menu.image_url, menu.thumbnail_url].map((url) => url.replace(/.*\//, '')));
}

/** Orders at every table while something is done. @param {() => Promise<any>} work */
async function busy(work) {
	let working = true, orders = 0;
	const tables = store.tables.map(async (_, table) => {
		while (working) {
			await store.order(table, [table % 6]);
			orders++;
		}
	});
	try {
		await work();
	} finally {
		working = false;
	}
	await Promise.all(tables);
	return orders;
}

/** Nothing of a run is left but locks and metrics. */
function assertClean() {
	assert.deepEqual(readdirSync(backups.state).sort().filter((name) => name !== 'spool'), ['lock', 'metrics']);
}

/** @param {string} dir @returns {string[]} */
function filesBelow(dir) {
	return readdirSync(dir, { withFileTypes: true }).filter((entry) => !entry.isSymbolicLink()).flatMap((entry) => (entry.isDirectory() ? filesBelow(join(dir, entry.name)) : [join(dir, entry.name)]));
}

/** Writes over what stands in the middle of a file. @param {string} file @param {number} [at] */
function damage(file, at = Math.floor(statSync(file).size / 2)) {
	const descriptor = openSync(file, 'r+');
	writeSync(descriptor, Buffer.alloc(64, 0xa5), 0, 64, at);
	closeSync(descriptor);
}

/** A file is another way for a while. @param {string} file @param {() => void} hurt @param {() => Promise<any>} work */
async function whileHurt(file, hurt, work) {
	cpSync(file, `${file}.good`, { preserveTimestamps: true });
	try {
		hurt();
		await work();
	} finally {
		/* the bytes only: owner and mode stay */
		writeFileSync(file, readFileSync(`${file}.good`));
		rmSync(`${file}.good`);
	}
}

describe('before the first backup', () => {
	test('a repository that is not there, or not mounted, is said', async () => {
		for (const command of ['backup', 'check', 'restore-test'])
			assertRefused(await backups.run([command]), /there is no repository in .*: is the backup disk mounted\?.*stanza-create/);
		assert.equal(backups.metrics('backup').table_order_backup_last_run_success, 0);
	});
	test('one without a backup, too', async () => {
		backups.backrest('stanza-create');
		for (const command of ['check', 'restore-test'])
			assertRefused(await backups.run([command]), /there is no backup in .*: make one with table-order-backup backup/);
		assertRefused(await backups.run(['restore-files', stack.dir]), /there is no backup/);
	});
	test('a host that has not the configuration, or not the pictures, is told to get them before anything is begun', async () => {
		const none = { TABLE_ORDER_ENV: join(backups.dir, 'none.env') };
		for (const command of ['backup', 'check'])
			assertRefused(await backups.run([command], { env: none }), /none\.env cannot be read.*copy \/etc\/table-order from a host that serves/);
		assert.equal(backups.metrics('backup').table_order_backup_last_run_success, 0);
		const bare = join(backups.dir, 'bare.env');
		backups.own(bare, 0o600, (path) => writeFileSync(path, 'UPLOAD_DIR=/nowhere\n'));
		assertRefused(await backups.run(['backup'], { env: { TABLE_ORDER_ENV: bare } }), /does not name the database: DATABASE_OWNER_URL/);
		writeFileSync(bare, 'DATABASE_OWNER_URL=postgresql://db1/table_order\nUPLOAD_DIR=/nowhere\n');
		assertRefused(await backups.run(['backup'], { env: { TABLE_ORDER_ENV: bare } }), /UPLOAD_DIR of .* is no directory: \/nowhere/);
		assert.deepEqual(backups.labels(), []);
	});
	test('a wrong command line is refused', async () => {
		for (const args of [[], ['nonsense'], ['backup', 'more'], ['restore-files'], ['restore-files', '--set', 'x']])
			assert.equal((await backups.run(args)).code, 2, args.join(' '));
	});
});

describe('a backup of a busy installation', () => {
	test('is made without an error to anybody, and counted', async () => {
		await addPicture();
		/* as where the database is on other hosts */
		const env = stack.info.env_file, authority = join(stack.dir, 'cluster-ca.crt');
		writeFileSync(authority, 'a certificate\n', { mode: 0o644 });
		writeFileSync(env, readFileSync(env, 'utf8').replace(/^(RELAY_DATABASE_URL)='?([^'\n]*)'?$/m, (_, key, url) => `${key}='${url}${url.includes('?') ? '&' : '?'}sslrootcert=${authority}'`));
		const orders = await busy(async () => assert.match(assertDone(await backups.run(['backup'])), /^backup \d{8}-\d{6}F: .* 1 are kept\n$/));
		assert.ok(orders > 0);
		const metrics = backups.metrics('backup');
		assert.deepEqual(Object.keys(metrics).sort(), ['duration_seconds', 'run_success', 'size_bytes', 'success_timestamp_seconds'].map((name) => `table_order_backup_last_${name}`));
		assert.ok(Date.now() / 1000 - metrics.table_order_backup_last_success_timestamp_seconds < 300);
		assert.ok(metrics.table_order_backup_last_size_bytes > 1e6);
		assert.deepEqual(backups.sets(), backups.labels());
		assertClean();
	});
	test('restores to exactly what it was at its restore point, though orders went on', async () => {
		await busy(async () => assert.match(assertDone(await backups.run(['restore-test'])), /^restore test: backup .* is good: \d+ tables with \d+ rows, \d+ files, in \d+ s\n$/));
		assert.equal(backups.metrics('restore-test').table_order_restore_test_last_run_success, 1);
		assertClean();
	});
	test('is well by the daily look', async () => {
		const out = assertDone(await backups.run(['check']));
		for (const said of [/last backup: \d{8}-\d{6}F, 1 are kept/, /archived up to [0-9A-F]{24}/, /last restore test: \d{4}-\d\d-\d\d/])
			assert.match(out, said);
	});
	test('holds nothing that can be read without the passphrase', () => {
		const files = filesBelow(backups.repo);
		assert.ok(files.length > 10);
		for (const file of files)
			for (const word of ['PRIVATE KEY', 'table_order', 'DATABASE_URL', store.store_code, pictures[0]])
				assert.ok(!readFileSync(file).includes(word), `${file} says ${word}`);
	});
	test('gives pictures, keys and configuration back as they were', async () => {
		const to = join(backups.dir, 'elsewhere');
		mkdirSync(to);
		assertDone(await backups.run(['restore-files', to]));
		for (const file of ['table-order.env', 'cluster-ca.crt', 'keys/private.pem', 'keys/public.pem', ...pictures.map((name) => `uploads/${name}`)]) {
			const [was, is] = [join(stack.dir, file), join(to, stack.dir, file)];
			assert.ok(readFileSync(was).equals(readFileSync(is)), file);
			assert.deepEqual([statSync(is).mode, statSync(is).uid], [statSync(was).mode, statSync(was).uid], file);
		}
		/* on a new machine they are not there, and what is in them must be reached */
		for (const file of ['keys', 'uploads']) {
			const [was, is] = [statSync(join(stack.dir, file)), statSync(join(to, stack.dir, file))];
			assert.deepEqual([is.mode, is.uid], [was.mode, was.uid], file);
		}
		assertRefused(await backups.run(['restore-files', '--set', '20200101-000000F', to]), /there is no backup 20200101-000000F/);
	});
});

describe('what is wrong is found, and said with what to do:', () => {
	/** @param {string} file @param {RegExp} line */
	async function damagedInRepository(file, line) {
		await whileHurt(file, () => damage(file), async () => assertRefused(await backups.run(['restore-test']), line));
		assertClean();
	}
	const set = () => join(backups.repo, 'files', backups.sets().at(-1) ?? '');

	test('a damaged page in the backup of the database', () => {
		const data = filesBelow(join(backups.repo, 'backup/table-order', backups.labels().at(-1) ?? '')).filter((file) => !file.includes('manifest'));
		return damagedInRepository(data.reduce((a, b) => (statSync(a).size > statSync(b).size ? a : b)), /the backup in .* is damaged \(.*\): check its disk, and back up again/);
	});
	test('a damaged archive of files', () => damagedInRepository(join(set(), 'files.tar'), /is damaged in .*files\.tar.*back up again/));
	test('a damaged manifest', () => damagedInRepository(join(set(), 'manifest'), /is damaged in .*manifest.*back up again/));
	test('and the failure is in the metrics, beside the last success', () => {
		const metrics = backups.metrics('restore-test');
		assert.equal(metrics.table_order_restore_test_last_run_success, 0);
		assert.ok(metrics.table_order_restore_test_last_success_timestamp_seconds > 0);
	});

	test('another database than the manifest tells of', async () => {
		const manifest = join(set(), 'manifest'), sums = join(set(), 'SHA256SUMS');
		const pass = /repo1-cipher-pass=(.*)/.exec(readFileSync(join(backups.dir, 'conf.d/passphrase.conf'), 'utf8'))?.[1];
		/** @param {string[]} more @param {Buffer} input */
		const openssl = (more, input) => execFileSync('openssl', ['enc', ...more, '-aes-256-cbc', '-md', 'sha256', '-pbkdf2', '-iter', '100000', '-pass', `pass:${pass}`], { input });
		const text = openssl(['-d'], readFileSync(manifest)).toString();
		assert.match(text, /^table\|public\.orders\|[1-9]\d*\|-?\d+$/m);
		await whileHurt(sums, () => undefined, () => whileHurt(manifest, () => {
			writeFileSync(manifest, openssl(['-salt'], Buffer.from(text.replace(/^(table\|public\.orders\|\d+\|-?)\d/m, (_, head) => `${head}0`))));
			writeFileSync(sums, execFileSync('sha256sum', ['manifest', 'files.tar'], { cwd: set() }));
		}, async () => assertRefused(await backups.run(['restore-test']), /is not what was backed up: [<>] table\|public\.orders\|/)));
		assertDone(await backups.run(['restore-test']));
	});

	test('a wrong passphrase', async () => {
		for (const command of ['backup', 'check', 'restore-test'])
			assertRefused(await backups.run([command], { env: { PGBACKREST_REPO1_CIPHER_PASS: 'wrong' } }), /the passphrase in .* does not open the repository .*: put in the one that is kept safe/);
	});
	test('none', async () => {
		const file = join(backups.dir, 'conf.d/passphrase.conf');
		await whileHurt(file, () => writeFileSync(file, '[global]\n'), async () => assertRefused(await backups.run(['backup']), /there is no passphrase: put repo1-cipher-pass into /));
	});
	test('a repository that is not to be encrypted', async () => {
		const file = join(backups.dir, 'pgbackrest.conf');
		await whileHurt(file, () => writeFileSync(file, readFileSync(file, 'utf8').replace('aes-256-cbc', 'none')), async () => assertRefused(await backups.run(['backup']), /must be encrypted/));
	});
	test('a backup that is too old', async () => {
		for (const command of ['check', 'restore-test'])
			assertRefused(await backups.run([command], { by: ['faketime', '-f', '+30h'] }), /the last backup, .*, is (29|30) hours old: see systemctl status table-order-backup.timer/);
	});
	test('two at once', async () => {
		const both = await Promise.all([backups.run(['check']), backups.run(['check'])]);
		assertRefused(both.find((result) => result.code !== 0) ?? both[0], /another check is at work/);
		assert.equal(both.filter((result) => result.code === 0).length, 1);
	});

	test('a disk that is full', async (t) => {
		/* who is not root is it in a namespace of users, and there becomes again who they are */
		const root = process.getuid?.() === 0;
		const namespace = root ? ['unshare', '-m'] : ['unshare', '-Urm'];
		const self = root ? '' : `unshare -U --map-user=${process.getuid?.()} --map-group=${process.getgid?.()}`;
		if (spawnSync(namespace[0], [...namespace.slice(1), 'mount', '-t', 'tmpfs', 'none', '/mnt']).status !== 0)
			return t.skip('no file system can be mounted here');
		/* the backups as they are, on a file system with little left, seen by this one backup only; the WAL still gets through */
		const where = join(backups.repo, 'backup');
		const used = Math.ceil(Number(execFileSync('du', ['-sk', where], { encoding: 'utf8' }).split('\t')[0]) / 1024);
		const script = `set -e; mount -t tmpfs none /mnt; cp -a "$1/." /mnt/; mount -t tmpfs -o size=${used + 1}m,mode=700 none "$1"
			cp -a /mnt/. "$1/"; chown --reference="$1/table-order" "$1"; shift; exec ${self} "$@"`;
		const result = await backups.run(['backup'], { by: [...namespace, 'sh', '-c', script, 'sh', where] });
		assertRefused(result, /backup: the disk is full: make room there \(df -h .*\), then try again/);
		assertClean();
	});

	test('a picture that is not there', async () => {
		const file = join(stack.dir, 'uploads', pictures[1]);
		renameSync(file, `${file}.away`);
		try {
			assertRefused(await backups.run(['backup']), new RegExp(`1 pictures that menus name are not in .*, the first ${pictures[1]}: .*upload them again`));
			assertRefused(await backups.run(['restore-test']), new RegExp(`lacks 1 pictures that menus name, the first ${pictures[1]}: upload them again`));
		} finally {
			renameSync(`${file}.away`, file);
		}
	});

	const psql = (/** @type {string} */ text) => execFileSync('psql', ['-XqAt', '-h', join(stack.dir, 'run'), '-U', 'postgres', '-d', 'postgres', '-c', text], { encoding: 'utf8' }).trim();

	test('a repository that cannot be written; orders go on, and WAL beyond the limit is dropped rather than kept until the disk is full', async () => {
		const conf = join(backups.dir, 'pgbackrest.conf');
		const dropped = () => /dropped WAL file .* because archive queue exceeded/.test(readFileSync(join(stack.dir, 'log/postgres.console'), 'utf8'));
		chmodSync(backups.repo, 0);
		try {
			await whileHurt(conf, () => writeFileSync(conf, readFileSync(conf, 'utf8').replace(/^archive-push-queue-max=.*/m, 'archive-push-queue-max=32MiB')), async () => {
				/* segments of 16 MiB; PostgreSQL tries the first again until there are too many behind it */
				for (let i = 0; i < 6; i++) {
					await store.order(0);
					psql('select pg_switch_wal()');
				}
				await until('WAL that is dropped', dropped, 90000);
			});
			/* with root's right to read, it is the WAL that says so */
			assertRefused(await backups.run(['check'], { env: { PGBACKREST_ARCHIVE_TIMEOUT: '2' } }), /the repository .* cannot be read: |there is no (repository|backup) in |PostgreSQL does not archive its WAL/);
		} finally {
			chmodSync(backups.repo, 0o700);
		}
		assertDone(await backups.run(['backup']));
		assertDone(await backups.run(['restore-test']));
	});

	test('a server that does not archive, or does not answer', async () => {
		psql("alter system set archive_command = 'false # pgbackrest'");
		psql('select pg_reload_conf()');
		try {
			assertRefused(await backups.run(['check'], { env: { PGBACKREST_ARCHIVE_TIMEOUT: '2' } }), /PostgreSQL does not archive its WAL: its log says why/);
		} finally {
			psql('alter system reset archive_command');
			psql('select pg_reload_conf()');
		}
		await stack.part('stop', 'postgres');
		try {
			for (const command of ['backup', 'check'])
				assertRefused(await backups.run([command]), /PostgreSQL does not answer at .*: start it/);
		} finally {
			await stack.part('start', 'postgres');
		}
	});
});

describe('a standby', () => {
	test('leaves the backup to the primary', async () => {
		const data = join(backups.dir, 'standby'), port = '5433';
		backups.backrest('restore', `--pg1-path=${data}`, '--type=standby', '--archive-mode=off');
		const identity = process.getuid?.() === 0 ? { uid: backups.owner.uid, gid: backups.owner.gid } : {};
		const server = spawn('/usr/lib/postgresql/15/bin/postgres', ['-D', data, '-p', port, '-c', 'listen_addresses=', '-c', `unix_socket_directories=${join(stack.dir, 'run')}`, '-c', 'max_connections=150'],
			{ ...identity, cwd: data, stdio: 'ignore' });
		const ended = new Promise((done) => server.on('exit', done));
		const conf = join(backups.dir, 'pgbackrest.conf');
		const before = backups.labels(), metrics = backups.metrics('backup');
		/* as a primary it failed last */
		const prom = join(backups.state, 'metrics/backup.prom');
		writeFileSync(prom, readFileSync(prom, 'utf8').replace('run_success 1', 'run_success 0'));
		assert.equal(backups.metrics('backup').table_order_backup_last_run_success, 0);
		try {
			await whileHurt(conf, () => writeFileSync(conf, readFileSync(conf, 'utf8').replace(/^pg1-path=.*/m, `pg1-path=${data}`).replace(/^pg1-port=.*/m, `pg1-port=${port}`)), async () => {
				await until('a standby that answers', async () => {
					const result = await backups.run(['backup']);
					return result.code === 0 && assertDone(result) === 'this server is a standby: the primary makes the backup\n';
				}, 60000);
				assert.match(assertDone(await backups.run(['check'])), /this server is a standby: the primary archives/);
			});
		} finally {
			server.kill('SIGINT');
			await ended;
		}
		assert.deepEqual(backups.labels(), before);
		const { table_order_backup_last_run_success: _, ...rest } = metrics;
		assert.deepEqual(backups.metrics('backup'), rest);
		assert.equal(statSync(prom).mode & 0o777, 0o644);
	});
});

describe('expiry', () => {
	test('keeps seven days of backups and one before, and removes the older, ours too', async () => {
		const first = backups.labels();
		assertDone(await backups.run(['backup'], { by: ['faketime', '-f', `+${6 * DAY_S}s`] }));
		assert.deepEqual(backups.labels().slice(0, -1), first);
		/* the server's own clock is not moved: to pgBackRest all are older than seven days, so that the newest is the one before */
		assertDone(await backups.run(['backup'], { by: ['faketime', '-f', `+${8 * DAY_S}s`] }));
		assert.equal(backups.labels().length, 1);
		assert.deepEqual(backups.sets(), backups.labels());
		assert.ok(!first.includes(backups.labels()[0]));
		assert.deepEqual(readdirSync(join(backups.repo, 'backup/table-order')).filter((name) => /^\d/.test(name)), backups.labels());
		assertDone(await backups.run(['restore-test']));
	});
});

describe('a damaged page in the database itself', () => {
	test('is found by the next backup, in a table or in an index', async () => {
		const path = async (/** @type {string} */ relation) => join(stack.dir, 'postgres', await store.sql(`checkpoint; select pg_relation_filepath('${relation}')`).catch(() => store.sql(`select pg_relation_filepath('${relation}')`)));
		const index = await path('orders_pkey'), table = await path('order_items');
		await stack.part('restart', 'postgres');
		await until('the database', () => store.sql('select 1').catch(() => undefined));
		const good = backups.labels();
		for (const file of [index, table]) {
			const page = readFileSync(file);
			damage(file, 4096);
			assertRefused(await backups.run(['backup']), /the database has damaged pages, and so has backup .*: restore the last good one/);
			writeFileSync(file, page);
		}
		assert.ok(good.every((label) => backups.labels().includes(label)));
		assert.ok(existsSync(join(backups.repo, 'files', good[0])));
	});
});
