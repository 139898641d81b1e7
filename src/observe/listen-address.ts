// Where health checks and metrics are listened for, as written on the command line.
import { isIP } from 'node:net';
import { fail, ok, type Result } from '../base/result.ts';

/** A TCP address. */
export interface ListenAddress {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

/** Loopback: metrics name devices and pods, and nobody asked for them to be public. */
export const defaultListenAddress: ListenAddress = { host: '127.0.0.1', port: 9643 };

const form = 'must be ADDRESS:PORT, for example 127.0.0.1:9643 or [::1]:9643';

/** Parses `127.0.0.1:9643`, `[::1]:9643` or `localhost:9643`. A port alone is refused: it would mean every address. */
export function parseListenAddress(text: string): Result<ListenAddress> {
  const parts = /^(?:\[([0-9a-fA-F:.%a-z]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (parts === null) return fail(`"${text}" is not an address to listen on; ${form}`);
  const [, bracketed, plain, digits] = parts;
  const host = bracketed ?? plain ?? '';
  const port = Number(digits);
  if (port > 65_535) return fail(`"${text}": port ${port} is above 65535; ${form}`);
  const good =
    bracketed === undefined ? isIP(host) === 4 || host === 'localhost' : isIP(host) === 6;
  return good ? ok({ host, port }) : fail(`"${text}": "${host}" is not an IP address; ${form}`);
}
