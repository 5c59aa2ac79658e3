/**
 * Waits for a condition, with a deadline: the only kind of waiting in these tests.
 * @template T
 * @param {string} what for the message @param {() => T | Promise<T>} condition @param {number} ms
 * @returns {Promise<Exclude<T, undefined | null | false>>} the first true value of the condition
 */
export async function until(what, condition, ms = 10000) {
	const deadline = Date.now() + ms;
	for (;;) {
		const value = await condition();
		if (value)
			return /** @type {any} */ (value);
		if (Date.now() > deadline)
			throw new Error(`in ${ms} ms there was not: ${what}`);
		await new Promise((next) => setTimeout(next, 20));
	}
}

/**
 * The promise's value, unless it takes too long.
 * @template T
 * @param {string} what @param {Promise<T>} promise @param {number} ms
 * @returns {Promise<T>}
 */
export function within(what, promise, ms = 10000) {
	let timer;
	const late = new Promise((_, failed) => {
		timer = setTimeout(() => failed(new Error(`in ${ms} ms there was not: ${what}`)), ms);
	});
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
