// What the API server of a test was asked, from its audit log: every request with its user, verb and answer.
import { existsSync, readFileSync } from 'node:fs';

/** Every request at the level of its metadata, once, when it is answered (a watch when it begins and ends). */
export const auditPolicy = {
  apiVersion: 'audit.k8s.io/v1',
  kind: 'Policy',
  omitStages: ['RequestReceived'],
  rules: [{ level: 'Metadata' }],
};

/** One audited request. */
export interface AuditEntry {
  /** A watch has two entries: ResponseStarted and ResponseComplete. */
  readonly stage: 'ResponseStarted' | 'ResponseComplete' | 'Panic';
  readonly verb: string;
  readonly requestURI: string;
  readonly user: {
    readonly username: string;
    readonly extra?: Readonly<Record<string, readonly string[]>>;
  };
  readonly userAgent?: string;
  readonly objectRef?: {
    readonly resource?: string;
    readonly namespace?: string;
    readonly name?: string;
    readonly apiGroup?: string;
    readonly subresource?: string;
  };
  readonly responseStatus?: { readonly code: number; readonly reason?: string };
  readonly requestReceivedTimestamp: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The entries of a log file, oldest first; a last line that is still being written is left out. */
export function readAudit(file: string): readonly AuditEntry[] {
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as AuditEntry);
}

/** Verbs that change something. */
const writing = new Set(['create', 'update', 'patch', 'delete', 'deletecollection']);

/** Answered requests of a user that ask for a change: what a client in a steady state makes none of. */
export function writesOf(entries: readonly AuditEntry[], username: string): readonly AuditEntry[] {
  return entries.filter(
    ({ stage, verb, user }) =>
      stage === 'ResponseComplete' && user.username === username && writing.has(verb),
  );
}
