/** Backups of an installation, set up as etc/pgbackrest and doc/operations/backup.md say, in a directory of its own. */
import { execFile, execFileSync } from 'node:child_process';
import { appendFileSync, chmodSync, chownSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { SOURCE } from './stack.mjs';

/** @typedef {{code: number, out: string, errors: string}} Result */

export class Backups {
	/** @param {import('./stack.mjs').Stack} stack @param {string} dir where repository and configuration are kept, and stay when the installation is gone */
	constructor(stack, dir) {
		this.stack = stack;
		this.dir = dir;
		this.repo = join(dir, 'repo');
		this.state = join(dir, 'state');
		/** whoever owns the cluster @type {import('node:fs').Stats} */
		this.owner = statSync(join(stack.dir, 'postgres'));
		this.env = {
			PATH: '/usr/local/bin:/usr/bin:/bin',
			TABLE_ORDER_ENV: stack.info.env_file,
			TABLE_ORDER_BACKUP_STATE: this.state,
			PGBACKREST_CONFIG: join(dir, 'pgbackrest.conf'),
			PGBACKREST_CONFIG_INCLUDE_PATH: join(dir, 'conf.d'),
		};
		const prefix = readFileSync(join(stack.dir, 'prefix'), 'utf8').trim();
		this.program = join(prefix, 'sbin/table-order-backup');
	}

	/** PostgreSQL archives its WAL from now on; the repository is not there yet. */
	async configure() {
		for (const part of ['', 'repo', 'state', 'log', 'conf.d'])
			this.own(join(this.dir, part), 0o700, (path) => mkdirSync(path));
		chmodSync(this.dir, 0o755);
		this.own(this.env.PGBACKREST_CONFIG, 0o600, (path) => writeFileSync(path, this.render('pgbackrest.conf')));
		this.own(join(this.dir, 'conf.d/passphrase.conf'), 0o600,
			(path) => writeFileSync(path, `[global]\nrepo1-cipher-pass=${randomBytes(48).toString('base64')}\n`));
		appendFileSync(join(this.stack.dir, 'postgres/postgresql.conf'), this.render('postgresql.conf'));
		await this.stack.part('restart', 'postgres');
	}

	/** @param {string} path @param {number} mode @param {(path: string) => void} make */
	own(path, mode, make) {
		make(path);
		chmodSync(path, mode);
		chownSync(path, this.owner.uid, this.owner.gid);
	}

	/** @param {string} name a sample of etc/pgbackrest with this installation's places filled in */
	render(name) {
		/** @type {Record<string, string>} */
		const words = {
			REPO: this.repo, STATE: this.state, LOG: join(this.dir, 'log'),
			PGDATA: join(this.stack.dir, 'postgres'), PGSOCKET: join(this.stack.dir, 'run'), PGPORT: '5432',
			PGBACKREST: this.command.join(' '),
		};
		return readFileSync(join(SOURCE, 'etc/pgbackrest', `${name}.in`), 'utf8').replace(/@([A-Z]+)@/g, (_, word) => words[word]);
	}

	/** pgbackrest as everybody calls it here, as its configuration is in no usual place. */
	get command() {
		return ['pgbackrest', `--config=${join(this.dir, 'pgbackrest.conf')}`, `--config-include-path=${join(this.dir, 'conf.d')}`];
	}

	/** @param {string[]} args of pgbackrest, run as the cluster's owner */
	backrest(...args) {
		const owner = process.getuid?.() === 0 ? { uid: this.owner.uid, gid: this.owner.gid } : {};
		return execFileSync(this.command[0], [...this.command.slice(1), '--stanza=table-order', ...args], { ...owner, cwd: '/', encoding: 'utf8' });
	}

	/**
	 * table-order-backup, whatever it says.
	 * @param {string[]} args @param {{env?: Record<string, string>, by?: string[]}} [how] by: words before it, e.g. faketime's
	 * @returns {Promise<Result>}
	 */
	run(args, { env = {}, by = [] } = {}) {
		const words = [...by, this.program, ...args];
		return new Promise((done, failed) => {
			execFile(words[0], words.slice(1), { env: { ...this.env, ...env } }, (error, out, errors) => {
				if (error !== null && typeof error.code !== 'number')
					failed(error);
				else
					done({ code: Number(error?.code ?? 0), out, errors });
			});
		});
	}

	/** The labels of the backups that pgBackRest has, oldest first. @returns {string[]} */
	labels() {
		return JSON.parse(this.backrest('info', '--output=json'))[0].backup.map((/** @type {{label: string}} */ backup) => backup.label);
	}

	/** The labels of those that have our files. */
	sets() {
		const files = join(this.repo, 'files');
		return existsSync(files) ? readdirSync(files).sort() : [];
	}

	/** @param {string} name backup or restore-test @returns {Record<string, number>} its metrics */
	metrics(name) {
		const lines = readFileSync(join(this.state, 'metrics', `${name}.prom`), 'utf8').split('\n').filter((line) => /^[a-z]/.test(line));
		return Object.fromEntries(lines.map((line) => [line.split(' ')[0], Number(line.split(' ')[1])]));
	}
}
