// The knife: a KernelFs that does to its own process, at one write of the machine, what the file says: ends it as by
// kill -9, or holds it there until the file says otherwise. What is not written to sysfs passes through.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  CallOptions,
  ChangeHint,
  FolderLink,
  KernelFs,
  Outcome,
  ReadOptions,
} from '../../../../src/kernel/fs.ts';

/** What happens at the write with this number, counted from 1 since the order was given. */
export interface KnifeOrder {
  readonly what: 'kill before' | 'kill during' | 'hold before';
  readonly write: number;
  /** Another one for each order, so that an order is obeyed once. */
  readonly serial: number;
}

/** Where orders are read, and what is there while a write is held. */
export const knifePlaces = { order: '/run/flow/knife', held: '/run/flow/held' } as const;

const heldPollMs = 20;

function orderNow(): KnifeOrder | null {
  if (!existsSync(knifePlaces.order)) return null;
  const text = readFileSync(knifePlaces.order, 'utf8');
  return text === '' ? null : (JSON.parse(text) as KnifeOrder);
}

/** A kernel under the knife. */
export class KnifeKernel implements KernelFs {
  readonly #kernel: KernelFs;
  #serial = -1;
  #writes = 0;

  constructor(kernel: KernelFs) {
    this.#kernel = kernel;
  }

  read(path: string, options?: ReadOptions): Promise<Outcome<Uint8Array>> {
    return this.#kernel.read(path, options);
  }

  list(path: string, options?: CallOptions): Promise<Outcome<readonly string[]>> {
    return this.#kernel.list(path, options);
  }

  readLink(path: string, options?: CallOptions): Promise<Outcome<string>> {
    return this.#kernel.readLink(path, options);
  }

  readLinks(path: string, options?: CallOptions): Promise<Outcome<readonly FolderLink[]>> {
    return this.#kernel.readLinks(path, options);
  }

  exists(path: string, options?: CallOptions): Promise<Outcome<boolean>> {
    return this.#kernel.exists(path, options);
  }

  changes(listener: (hint: ChangeHint) => void): { close(): void } {
    return this.#kernel.changes(listener);
  }

  async write(path: string, data: string, options?: CallOptions): Promise<Outcome<number>> {
    const order = this.#orderOfThisWrite();
    if (order?.what === 'kill before') process.kill(process.pid, 'SIGKILL');
    if (order?.what === 'hold before') await this.#hold(order, `${path} ${data}`);
    const written = this.#kernel.write(path, data, options);
    // The write is on its way, or done, and nobody has heard of it.
    if (order?.what === 'kill during') setImmediate(() => process.kill(process.pid, 'SIGKILL'));
    return written;
  }

  #orderOfThisWrite(): KnifeOrder | null {
    const order = orderNow();
    if (order === null) return null;
    if (order.serial !== this.#serial) this.#writes = 0;
    this.#serial = order.serial;
    this.#writes += 1;
    return this.#writes === order.write ? order : null;
  }

  async #hold(order: KnifeOrder, what: string): Promise<void> {
    writeFileSync(knifePlaces.held, what);
    while (orderNow()?.serial === order.serial) await sleep(heldPollMs);
  }
}
