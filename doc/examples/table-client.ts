/**
 * What a table's tablet does, in short: log in, show the menus, order, follow what becomes of it. For browsers and node.
 *
 * The types are made of the API's document, here, and anew when it changes:
 *
 *     npx openapi-typescript ../openapi.yaml -o table-order.d.ts
 */
import type { components } from './table-order';

type Schemas = components['schemas'];
export type Menu = Schemas['Menu'];
export type NewOrder = Schemas['NewOrder'];
export type Order = Schemas['Order'];
export type OwnOrders = Schemas['OwnOrders'];
export type TableLogin = Schemas['TableLogin'];

/** An event of the stream; `reset` says: load the orders again, the stream goes on from there by itself. */
export type StreamEvent = Schemas['CustomerEvent'] | { event_type: 'reset'; last_event_id: number };

/** A refusal. Decide by its code, show its message. */
export class ApiError extends Error {
	constructor(readonly status: number, readonly error: Schemas['ErrorAnswer']['error'], readonly retryAfter: number) {
		super(`${error.code}: ${error.message}`);
	}

	get code(): Schemas['ErrorCode'] {
		return this.error.code;
	}
}

const ATTEMPTS = 5;

const pause = (ms: number) => new Promise<void>((next) => setTimeout(next, ms));

export class TableClient {
	private token = '';

	constructor(private readonly base: string) {}

	async login(credentials: Schemas['TableCredentials']): Promise<TableLogin> {
		const login = await this.ask<TableLogin>('POST', '/api/customer/auth/login', credentials);
		this.token = login.access_token;
		return login;
	}

	async menus(): Promise<Menu[]> {
		return (await this.ask<Schemas['MenuList']>('GET', '/api/customer/menus')).data;
	}

	/** The orders of this visit, and where the stream goes on from them. */
	orders(): Promise<OwnOrders> {
		return this.ask('GET', '/api/customer/orders');
	}

	/**
	 * Orders once, however often it has to be sent: the key, crypto.randomUUID() when the guest presses the button, tells
	 * the server that it is the same order.
	 */
	async order(order: NewOrder, key: string): Promise<Order> {
		for (let attempt = 1; ; attempt++) {
			try {
				return await this.ask<Order>('POST', '/api/customer/orders', order, { 'Idempotency-Key': key });
			} catch (error) {
				const refused = error instanceof ApiError;
				if (attempt === ATTEMPTS || (refused && error.status < 500 && error.status !== 429))
					throw error;
				await pause(1000 * (refused ? Math.max(error.retryAfter, 1) : 1));
			}
		}
	}

	/** Events after the one with this id, through any break of the connection, until the login ends or the signal comes. */
	async *events(from: number, signal: AbortSignal): AsyncGenerator<StreamEvent> {
		let cursor = String(from);
		while (!signal.aborted) {
			try {
				for await (const block of this.blocks(cursor, signal)) {
					cursor = block.id || cursor;
					if (block.event === 'closed')
						return;
					if (block.event === 'reset')
						yield { event_type: 'reset', ...(JSON.parse(block.data) as Schemas['StreamReset']) };
					else if (block.event !== '' && block.event !== 'heartbeat')
						yield JSON.parse(block.data) as Schemas['CustomerEvent'];
				}
			} catch (error) {
				if (error instanceof ApiError)
					throw error;
			}
			if (!signal.aborted)
				await pause(2000);
		}
	}

	/** The blocks of one connection to the stream. */
	private async *blocks(cursor: string, signal: AbortSignal): AsyncGenerator<{ id: string; event: string; data: string }> {
		const headers = { Accept: 'text/event-stream', Authorization: `Bearer ${this.token}`, 'Last-Event-ID': cursor };
		const answer = await fetch(`${this.base}/api/customer/orders/stream`, { headers, signal });
		if (!answer.ok || answer.body === null)
			throw await refusal(answer);
		const reader = answer.body.getReader();
		const decoder = new TextDecoder();
		let rest = '';
		for (;;) {
			const { done, value } = await reader.read();
			if (done)
				return;
			const parts = (rest + decoder.decode(value, { stream: true })).split('\n\n');
			rest = parts.pop() ?? '';
			for (const part of parts) {
				const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(part)?.[1] ?? '';
				yield { id: field('id'), event: field('event'), data: field('data') };
			}
		}
	}

	private async ask<T>(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<T> {
		const answer = await fetch(this.base + path, {
			method,
			headers: {
				...headers,
				...(this.token === '' ? {} : { Authorization: `Bearer ${this.token}` }),
				...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
			},
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
		if (!answer.ok)
			throw await refusal(answer);
		return await answer.json() as T;
	}
}

async function refusal(answer: Response): Promise<ApiError> {
	const { error } = await answer.json() as Schemas['ErrorAnswer'];
	return new ApiError(answer.status, error, Number(answer.headers.get('Retry-After') ?? 0));
}
