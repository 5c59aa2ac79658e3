/** What only the database knows, asked as its owner. */
import { spawn } from 'node:child_process';

/**
 * Runs SQL in one transaction; :'name' and :name stand for the values. Returns what it prints, one line a row, columns
 * separated by |.
 * @param {import('./stack.mjs').Stack} stack @param {string} text @param {Record<string, string | number>} [values]
 * @returns {Promise<string>}
 */
export function sql(stack, text, values = {}) {
	const variables = Object.entries(values).flatMap(([name, value]) => ['-v', `${name}=${value}`]);
	return new Promise((done, failed) => {
		const child = spawn('psql', ['-XqAt', '-1', '-v', 'ON_ERROR_STOP=1', ...variables, stack.env.DATABASE_OWNER_URL], {
			stdio: ['pipe', 'pipe', 'pipe'],
			/* psql itself would wait for a frozen server for ever */
			timeout: 120000,
			env: { PATH: process.env.PATH, LC_ALL: 'C.UTF-8', PGCONNECT_TIMEOUT: '5' },
		});
		let out = '', errors = '';
		child.stdout.setEncoding('utf8').on('data', (s) => { out += s; });
		child.stderr.setEncoding('utf8').on('data', (s) => { errors += s; });
		child.on('error', failed);
		child.on('close', (code) => (code === 0 ? done(out.trim()) : failed(new Error(`psql: ${errors.trim()}`))));
		child.stdin.end(text);
	});
}

/** @param {import('./stack.mjs').Stack} stack @param {string} text @param {Record<string, string | number>} [values] */
export async function sqlNumber(stack, text, values) {
	return Number(await sql(stack, text, values));
}
