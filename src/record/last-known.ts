// What the API server said last, for a start while it is away: policies and the labels of the node. Losing it loses no
// group: what is taken stands in the records.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorText } from '../base/errors.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { hasErrno, realFileCalls, writeDurably } from './durable-file.ts';

/** What is kept. */
export interface LastKnown {
  readonly nodeLabels: Readonly<Record<string, string>>;
  /** PassthroughPolicy objects as the server sent them; whoever reads them judges them again. */
  readonly policies: readonly unknown[];
  /** Groups out of service: leader and reason. A start while the server is away must not offer them. */
  readonly cordons: Readonly<Record<string, string>>;
}

const format = 1;

/** The file, beside the records; not one of them by its name. */
function lastKnownPath(stateDir: string): string {
  return join(stateDir, 'last-known.cluster');
}

/** What was kept; null when nothing was; a problem when it cannot be used. */
export async function readLastKnown(stateDir: string): Promise<Result<LastKnown | null>> {
  const path = lastKnownPath(stateDir);
  try {
    return parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (thrown) {
    if (hasErrno(thrown, 'ENOENT')) return ok(null);
    return fail(`${path}: ${errorText(thrown)}`);
  }
}

function parse(value: unknown): Result<LastKnown | null> {
  const {
    format: written,
    nodeLabels,
    policies,
    cordons,
  } = (value ?? {}) as Record<string, unknown>;
  if (written !== format) return fail(`its format is ${JSON.stringify(written)}, not ${format}`);
  if (!Array.isArray(policies)) return fail('policies is not a list');
  if (!isTexts(nodeLabels)) return fail('nodeLabels is not a mapping of texts');
  if (!isTexts(cordons)) return fail('cordons is not a mapping of texts');
  return ok({ nodeLabels, policies, cordons });
}

function isTexts(value: unknown): value is Readonly<Record<string, string>> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return false;
  return Object.values(value).every((each) => typeof each === 'string');
}

/** Keeps it. Rejects when it cannot be written; the earlier copy is then still there. */
export async function writeLastKnown(stateDir: string, known: LastKnown): Promise<void> {
  const text = `${JSON.stringify({ format, ...known })}\n`;
  await writeDurably(realFileCalls, lastKnownPath(stateDir), text);
}
