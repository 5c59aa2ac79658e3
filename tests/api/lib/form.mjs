/** multipart/form-data as a browser sends it (RFC 7578). */

/** A field and its value, or a file and its name. @typedef {[name: string, value: string | Buffer, filename?: string]} Part */

const BOUNDARY = '----table-order-4f2a9c';

/** @param {Part} part */
function bytesOf([name, value, filename]) {
	const file = filename === undefined ? '' : `; filename="${filename}"\r\nContent-Type: application/octet-stream`;
	return [Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`), Buffer.from(value), Buffer.from('\r\n')];
}

/** Options of a request that carries these parts. @param {Part[]} parts */
export function form(parts) {
	return {
		raw: Buffer.concat([...parts.flatMap(bytesOf), Buffer.from(`--${BOUNDARY}--\r\n`)]),
		headers: { 'Content-Type': `multipart/form-data; boundary=${BOUNDARY}` },
	};
}
