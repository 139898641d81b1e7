// What the client layer tells about itself in numbers; observe/ makes metrics of it.

/** What was asked of the server. */
export type ApiVerb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete';

/** What came of a request: a class of HTTP status, or `none` when there was no answer. */
export type ApiOutcome = '2xx' | '4xx' | '409' | '429' | '5xx' | 'none';

/** The class of an HTTP status; 0: there was no answer. */
export function outcomeOf(status: number): ApiOutcome {
  if (status === 0) return 'none';
  if (status === 409 || status === 429) return `${status}`;
  if (status < 300) return '2xx';
  return status < 500 ? '4xx' : '5xx';
}

/** Why a whole resource was listed. */
export type ListReason = 'start' | 'expired';

/** Callbacks for measurements. They must return at once and not throw. `resource` is a plural name. */
export interface ClusterMetrics {
  /** One HTTP request ended (a watch: its headers came, or did not). */
  requested(verb: ApiVerb, outcome: ApiOutcome, seconds: number): void;
  /** A resource was listed from the beginning. */
  listed(resource: string, reason: ListReason): void;
  /** A watch ended other than by the server's timeout. */
  watchBroke(resource: string): void;
  /** Something was heard on a watch: an event or a bookmark. */
  heard(resource: string): void;
  /** An object was written because it had changed. */
  wrote(resource: string, outcome: 'written' | 'failed'): void;
  /** An Event was sent, merged into a series, or dropped. */
  event(outcome: 'sent' | 'merged' | 'dropped'): void;
  /** This process became, or ceased to be, the leader. */
  leading(leads: boolean): void;
}

/** Measures nothing. */
export const noClusterMetrics: ClusterMetrics = {
  requested() {},
  listed() {},
  watchBroke() {},
  heard() {},
  wrote() {},
  event() {},
  leading() {},
};
