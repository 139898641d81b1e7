// How host/ reads the machine: every read gives a fact or the admission that there is none, with path and reason.
// Nothing here knows what a file means, and no failure becomes a default.
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { type Known, known, type Unknown, unknown } from '../base/known.ts';
import type { CallOptions, KernelFs, Outcome, ReadOptions } from '../kernel/fs.ts';

/** The form a text must have, and what it then means. */
export interface Form<T> {
  /** The whole text, line end included; a text cut short must not match. */
  readonly pattern: RegExp;
  /** The allowed form in words, for the message about a text that is not of it. */
  readonly allowed: string;
  readonly value: (match: RegExpExecArray) => T;
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true });
const shownMax = 60;

/** A text for one line of a message: quoted, escaped, cut. */
export function shown(text: string): string {
  const cut = text.length > shownMax ? `${text.slice(0, shownMax)}…` : text;
  return JSON.stringify(cut);
}

/** What an outcome tells: the value, or why there is none (an errno, or `pending`). */
export function factOf<T>(path: string, outcome: Outcome<T>): Known<T> {
  return outcome.kind === 'value' ? known(outcome.value) : failureOf(path, outcome);
}

function failureOf(path: string, outcome: Exclude<Outcome<unknown>, { kind: 'value' }>): Unknown {
  return unknown(path, outcome.kind === 'errno' ? outcome.errno : 'pending');
}

/**
 * True when the file, device or process is not there (any more): ENOENT, ENODEV (kernfs, while an attribute is
 * being removed), ESRCH (/proc of a process that has gone).
 */
export function isAbsent(fact: Known<unknown>): boolean {
  return !fact.known && (fact.why === 'ENOENT' || fact.why === 'ENODEV' || fact.why === 'ESRCH');
}

/** `otherwise` in place of what is not there; any other failure stays unknown. */
export function orAbsent<T>(fact: Known<T>, otherwise: T): Known<T> {
  return isAbsent(fact) ? known(otherwise) : fact;
}

/** The text of a file; bytes that are not UTF-8 are no text. */
export async function readText(
  kernel: KernelFs,
  path: string,
  options?: ReadOptions,
): Promise<Known<string>> {
  const outcome = await kernel.read(path, options);
  if (outcome.kind !== 'value') return failureOf(path, outcome);
  const bytes = outcome.value;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  // oxlint-disable-next-line no-control-regex -- ASCII, the rule in sysfs, needs no decoder
  if (/^[\0-\x7f]*$/.test(text)) return known(text);
  try {
    return known(strictUtf8.decode(bytes));
  } catch {
    return unknown(path, 'is not UTF-8 text');
  }
}

/** A file whose text must have one form. */
export async function readAttribute<T>(
  kernel: KernelFs,
  path: string,
  form: Form<T>,
): Promise<Known<T>> {
  const text = await readText(kernel, path);
  return text.known ? parseText(path, text.value, form) : text;
}

/** A text that must have one form; what it says otherwise is part of the reason. */
function parseText<T>(path: string, text: string, form: Form<T>): Known<T> {
  const match = form.pattern.exec(text);
  if (match !== null) return known(form.value(match));
  return unknown(path, `says ${shown(text)} instead of ${form.allowed}`);
}

/** Names in a folder. */
export async function readNames(
  kernel: KernelFs,
  path: string,
  options?: CallOptions,
): Promise<Known<readonly string[]>> {
  return factOf(path, await kernel.list(path, options));
}

/** The last component of a link's text: how sysfs names drivers, groups and devices. */
export async function readLinkName(kernel: KernelFs, path: string): Promise<Known<string>> {
  const outcome = await kernel.readLink(path);
  if (outcome.kind !== 'value') return failureOf(path, outcome);
  return known(baseName(outcome.value));
}

/** The last component of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** One whole line. */
export const lineForm: Form<string> = {
  pattern: /^([^\n]+)\n$/,
  allowed: 'one line',
  value: (match) => match[1] ?? '',
};

/** Lets the event loop turn while a long pass over synchronous reads goes on. */
export class Pacer {
  readonly #clock: Clock;
  readonly #sliceMs: number;
  #sinceMs: number;
  #turn: Promise<void> | null = null;

  /** `sliceMs`: how long the loop may be kept, 1 ms by default: a request to the agent takes several turns of it. */
  constructor(clock: Clock, sliceMs = 1) {
    this.#clock = clock;
    this.#sliceMs = sliceMs;
    this.#sinceMs = clock.monotonicMs();
  }

  /** True when the slice is used up: then await `breathe()`. */
  get due(): boolean {
    return this.#clock.monotonicMs() - this.#sinceMs >= this.#sliceMs;
  }

  /** One turn of the event loop, the same for all who wait: what they ask then can go in one message. */
  breathe(): Promise<void> {
    this.#turn ??= nextTurn().then(() => {
      this.#turn = null;
      this.#sinceMs = this.#clock.monotonicMs();
    });
    return this.#turn;
  }
}
