/** Tokens as an attacker, or a clock, would have them. */
import { createHmac, createPrivateKey, createPublicKey, createSign, generateKeyPairSync, randomUUID } from 'node:crypto';
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

const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;

/**
 * What nobody may take for the token that it is like: by name, each to be refused as TOKEN_INVALID.
 * @param {import('./stack.mjs').Stack} stack @param {string} token @returns {Record<string, string>}
 */
export function forgeries(stack, token) {
	const { header, claims, signature } = decode(token);
	const hs256 = { ...header, alg: 'HS256' };
	const grown = { ...claims, sub: claims.sub.replace(/\d+/, (/** @type {string} */ id) => String(Number(id) + 1)) };
	return {
		'alg none': `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`,
		'alg none with a signature': `${encode({ ...header, alg: 'none' })}.${encode(claims)}.${signature}`,
		'alg NoNe': `${encode({ ...header, alg: 'NoNe' })}.${encode(claims)}.`,
		'HS256 with the public key': signHs256(hs256, claims, publicPem(stack)),
		'HS256 with the trimmed public key': signHs256(hs256, claims, publicPem(stack).trim()),
		'HS256 with nothing': signHs256(hs256, claims, ''),
		'HS256 with the kid': signHs256(hs256, claims, header.kid),
		'another key with our kid': signRs256(header, claims, stranger),
		'our key with another kid': signRs256({ ...header, kid: 'x' }, claims, privateKey(stack)),
		'our key without a kid': signRs256({ ...header, kid: undefined }, claims, privateKey(stack)),
		'another account': `${encode(header)}.${encode(grown)}.${signature}`,
		'another role': `${encode(header)}.${encode({ ...claims, role: claims.role === 'table' ? 'store_admin' : 'super_admin' })}.${signature}`,
		'more time': `${encode(header)}.${encode({ ...claims, exp: claims.exp + 3600 })}.${signature}`,
		'no signature': `${encode(header)}.${encode(claims)}.`,
		'two parts': `${encode(header)}.${encode(claims)}`,
		'four parts': `${token}.x`,
		'a signature in another alphabet': `${token.slice(0, -4)}+/==`,
		'a letter too many': `${token}A`,
		'something in between': token.replace('.', '.!'),
		'a header that is no object': `${encode('[]')}.${encode(claims)}.${signature}`,
		'very long': `${encode(header)}.${encode({ ...claims, x: 'x'.repeat(3600) })}.${signature}`,
		'empty': '',
	};
}

/**
 * A token signed by the installation's own key, like the given one but for some claims and header fields.
 * @param {import('./stack.mjs').Stack} stack @param {string} token @param {any} claims @param {any} [header]
 */
export function altered(stack, token, claims, header = {}) {
	const like = decode(token);
	return signRs256({ ...like.header, ...header }, { ...like.claims, jti: randomUUID(), ...claims }, privateKey(stack));
}
