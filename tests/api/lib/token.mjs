/** Tokens as an attacker, or a clock, would have them. */
import { createHmac, createPrivateKey, createPublicKey, createSign, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** @param {unknown} part */
export function encode(part) {
	return Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');
}

/** @param {string} token @returns {{header: any, claims: any, signature: string}} */
export function decode(token) {
	const [header, claims, signature] = token.split('.');
	return { header: JSON.parse(Buffer.from(header, 'base64url').toString()), claims: JSON.parse(Buffer.from(claims, 'base64url').toString()), signature };
}

/** @param {import('./stack.mjs').Stack} stack */
export function privateKey(stack) {
	return createPrivateKey(readFileSync(stack.env.JWT_PRIVATE_KEY_FILE));
}

/** @param {import('./stack.mjs').Stack} stack */
export function publicPem(stack) {
	return String(createPublicKey(privateKey(stack)).export({ type: 'spki', format: 'pem' }));
}

/** @param {any} header @param {any} claims @param {import('node:crypto').KeyLike} key */
export function signRs256(header, claims, key) {
	const text = `${encode(header)}.${encode(claims)}`;
	return `${text}.${createSign('RSA-SHA256').update(text).sign(key).toString('base64url')}`;
}

/** @param {any} header @param {any} claims @param {string} secret */
export function signHs256(header, claims, secret) {
	const text = `${encode(header)}.${encode(claims)}`;
	return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

/**
 * A token signed by the installation's own key, like the given one but for some claims and header fields.
 * @param {import('./stack.mjs').Stack} stack @param {string} token @param {any} claims @param {any} [header]
 */
export function altered(stack, token, claims, header = {}) {
	const like = decode(token);
	return signRs256({ ...like.header, ...header }, { ...like.claims, jti: randomUUID(), ...claims }, privateKey(stack));
}
