// What happened to a group, in the order of time: Events, and what its object remembers longer than the hour for which
// a server keeps Events. Pure.
import type { SeenEvent, SeenGroup } from './seen.ts';

/** One thing that happened. */
export interface HistoryEntry {
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly source: 'object' | 'condition' | 'lease' | 'blocker' | 'cordon' | 'event';
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly note: string;
  /** How often, of an Event that repeats; and when last. */
  readonly count?: number;
  readonly lastAt?: string;
}

function fromEvent(event: SeenEvent): readonly HistoryEntry[] {
  const { eventTime, deprecatedFirstTimestamp, deprecatedLastTimestamp, series, metadata } = event;
  const at = eventTime ?? deprecatedFirstTimestamp ?? metadata.creationTimestamp;
  if (!at) return [];
  const count = series?.count ?? event.deprecatedCount ?? 1;
  const lastAt = series?.lastObservedTime ?? deprecatedLastTimestamp ?? at;
  return [
    {
      ...{ at, source: 'event', reason: event.reason ?? '', note: event.note ?? '' },
      type: event.type === 'Warning' ? 'Warning' : 'Normal',
      ...(count > 1 ? { count, lastAt } : {}),
    },
  ];
}

function fromConditions({ status }: SeenGroup): readonly HistoryEntry[] {
  return (status?.conditions ?? []).map((each) => ({
    ...{ at: each.lastTransitionTime, source: 'condition', reason: each.reason },
    type: each.status === 'True' ? 'Normal' : 'Warning',
    note: `${each.type} became ${each.status}${each.message === '' ? '' : `: ${each.message}`}`,
  }));
}

function fromLease({ status }: SeenGroup): readonly HistoryEntry[] {
  const lease = status?.lease;
  if (lease === undefined) return [];
  const { pod } = lease;
  const who =
    pod === undefined ? 'a pod that is not known yet' : `pod ${pod.namespace}/${pod.name}`;
  return [
    { at: lease.since, source: 'lease', type: 'Normal', reason: 'Leased', note: `${who} has it` },
  ];
}

function fromBlockers({ status }: SeenGroup): readonly HistoryEntry[] {
  return (status?.blockers ?? []).map(({ since, kind, address, message }) => ({
    ...{ at: since, source: 'blocker', type: 'Warning', reason: kind },
    note: `${address}: ${message}`,
  }));
}

interface ManagedFields {
  readonly manager?: string;
  readonly time?: string;
  readonly fieldsV1?: { readonly 'f:spec'?: { readonly 'f:cordoned'?: object } };
}

/** A cordon has no time of its own: the server remembers who wrote the field last, and when. */
function fromCordon({ metadata, spec }: SeenGroup): readonly HistoryEntry[] {
  const { managedFields = [] } = metadata as { readonly managedFields?: readonly ManagedFields[] };
  const entry = managedFields.find((each) => each.fieldsV1?.['f:spec']?.['f:cordoned']);
  if (entry?.time === undefined) return [];
  const cordoned = spec?.cordoned === true;
  // Whoever makes an object writes its defaults.
  if (!cordoned && entry.time === metadata.creationTimestamp) return [];
  const reason = cordoned && spec?.cordonReason ? `: ${spec.cordonReason}` : '';
  const note = `${cordoned ? 'taken out of service' : 'put into service'} by ${entry.manager}${reason}`;
  const word = cordoned ? 'Cordoned' : 'Uncordoned';
  return [{ at: entry.time, source: 'cordon', type: 'Normal', reason: word, note }];
}

function fromObject({ metadata }: SeenGroup): readonly HistoryEntry[] {
  const at = metadata.creationTimestamp;
  if (at === undefined) return [];
  const note = 'its object was made';
  return [{ at, source: 'object', type: 'Normal', reason: 'Created', note }];
}

/** All of it, oldest first; what happened at the same moment, in the order of cause. */
export function historyOf(group: SeenGroup, events: readonly SeenEvent[]): readonly HistoryEntry[] {
  const entries = [
    ...[fromObject, fromBlockers, fromConditions, fromLease, fromCordon].flatMap((from) =>
      from(group),
    ),
    ...events.flatMap(fromEvent),
  ];
  return entries
    .map((entry, index) => ({ entry, index, ms: Date.parse(entry.at) }))
    .sort((a, b) => a.ms - b.ms || a.index - b.index)
    .map(({ entry }) => entry);
}
