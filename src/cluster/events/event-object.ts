// The shape of events.k8s.io/v1 Events, and the rules of the server that an Event must keep. Pure.
import type { KubeObject } from '../objects.ts';

/** The object that an Event is about. */
export interface EventSubject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
}

/** One thing that happened. */
export interface Happening {
  readonly type: 'Normal' | 'Warning';
  /** CamelCase, from a closed and documented list. */
  readonly reason: string;
  /** CamelCase: what was done or tried. */
  readonly action: string;
  /** One or two sentences for a person. Cut at 1024 bytes. */
  readonly note: string;
  readonly regarding: EventSubject;
  /** A second object that has a part in it, for example the pod. */
  readonly related?: EventSubject;
}

/** Who says it. */
export interface EventSource {
  /** `wholegroup.dev/agent`. */
  readonly controller: string;
  /** The node or pod, at most 128 bytes. */
  readonly instance: string;
}

/** events.k8s.io/v1 Event. */
export interface EventObject extends KubeObject {
  readonly eventTime: string;
  readonly reportingController: string;
  readonly reportingInstance: string;
  readonly action: string;
  readonly reason: string;
  readonly type: string;
  readonly note: string;
  readonly regarding: EventSubject;
  readonly related?: EventSubject;
  readonly series?: EventSeries;
}

/** How often the same thing has happened. */
export interface EventSeries {
  readonly count: number;
  readonly lastObservedTime: string;
}

const noteBytesMax = 1024;

/** A time as MicroTime: six digits, which Date does not have. */
export function microTime(wallMs: number): string {
  return new Date(wallMs).toISOString().replace('Z', '000Z');
}

/** `text` cut to at most `bytes` of UTF-8, whole characters only. */
function cutText(text: string, bytes: number): string {
  if (Buffer.byteLength(text) <= bytes) return text;
  const cut = Buffer.from(text).subarray(0, bytes - 3);
  // A character that was cut in the middle decodes to U+FFFD: it is left out.
  return `${cut.toString('utf8').replace(/\uFFFD+$/, '')}…`;
}

/** Happenings with the same key are one series. */
export function seriesKey({ type, reason, action, note, regarding, related }: Happening): string {
  const subject = [regarding.kind, regarding.namespace, regarding.name, regarding.uid];
  return JSON.stringify([type, reason, action, note, ...subject, related?.uid ?? related?.name]);
}

/** The first Event of a series. `suffix` makes its name unique. */
export function eventObject(
  happening: Happening,
  source: EventSource,
  at: { readonly wallMs: number; readonly suffix: string },
): EventObject {
  const { type, reason, action, note, regarding, related } = happening;
  return {
    apiVersion: 'events.k8s.io/v1',
    kind: 'Event',
    metadata: {
      name: `${regarding.name.slice(0, 230)}.${at.suffix}`,
      // The server wants Events about cluster-scoped objects in this namespace.
      namespace: regarding.namespace ?? 'default',
    },
    eventTime: microTime(at.wallMs),
    reportingController: source.controller,
    reportingInstance: cutText(source.instance, 128),
    ...{ type, reason, action, regarding },
    note: cutText(note, noteBytesMax),
    ...(related === undefined ? {} : { related }),
  };
}
