// Who holds a leased group, and when the holder has gone: a pure judgement over what the kubelet's lists,
// the API server and the kernel said. Nobody tells a device plugin that a pod ended, so it takes all of:
// two successive lists of one kubelet without the device, that kubelet up long enough to know, no sign of
// the pod in the API server (where there is one), and nobody inside. Whatever is unknown keeps the lease.
import { assertNever } from '../base/assert.ts';
import type { Inside } from '../ownership/use.ts';
import type { ResourceName } from '../policy/policy.ts';
import type { DeviceHolder, HoldersAnswer } from './pods.ts';

/** Time limits of the judgement. */
export interface DepartureLimits {
  /** Lists of a younger kubelet are empty or partial: its pod sources are not ready (devicemanager sourcesReady). */
  readonly kubeletUpMs: number;
  /** A lease whose pod was never listed ends only after two lists this far apart: admission may still be going on. */
  readonly unlistedMs: number;
}

/** The limits in use. */
export const defaultDepartureLimits: DepartureLimits = { kubeletUpMs: 30_000, unlistedMs: 10_000 };

/** The leased device as the kubelet lists it. */
export interface LeasedDevice {
  readonly resource: ResourceName;
  readonly id: string;
  /** When the lease was taken or taken over, monotonic; lists asked before it say nothing about it. */
  readonly sinceMs: number;
}

/** What the lists said about one leased device so far. Data: fold answers in with watchLists. */
export interface ListWatch {
  /** A list named a holder since the lease began (or the record had one). */
  readonly everListed: boolean;
  /** The kubelet that named a holder last: what it does not list any more has ended, however young it is. */
  readonly listedBy: string | null;
  readonly latest:
    | { readonly kind: 'none' }
    | { readonly kind: 'listed'; readonly holder: DeviceHolder }
    | { readonly kind: 'not-listed' }
    | { readonly kind: 'kubelet-too-young'; readonly upMs: number }
    | { readonly kind: 'unreachable'; readonly why: string };
  /** The run of successive lists without the device, all of one kubelet that was up long enough. */
  readonly absence: {
    readonly incarnation: string;
    readonly lists: number;
    readonly firstMs: number;
    readonly lastMs: number;
  } | null;
}

/** Before any list; `everListed` is true when the record already names the pod. */
export function newListWatch(everListed: boolean): ListWatch {
  return { everListed, listedBy: null, latest: { kind: 'none' }, absence: null };
}

/** Who holds the device by this answer: the first in the answer's order, null when nobody is listed. */
export function holderOf(answer: HoldersAnswer, device: LeasedDevice): DeviceHolder | null {
  if (answer.kind === 'unreachable') return null;
  return (
    answer.holders.find(
      (holder) => holder.resource === device.resource && holder.deviceIds.includes(device.id),
    ) ?? null
  );
}

/** Folds one answer in. The same answer twice (callers share them) counts once; one asked before the lease not at all. */
export function watchLists(
  before: ListWatch,
  answer: HoldersAnswer,
  device: LeasedDevice,
  limits: DepartureLimits = defaultDepartureLimits,
): ListWatch {
  if (answer.kind === 'unreachable') {
    return { ...before, latest: { kind: 'unreachable', why: answer.why } };
  }
  if (answer.askedAtMs < device.sinceMs) return before;
  const holder = holderOf(answer, device);
  if (holder !== null) {
    const latest = { kind: 'listed', holder } as const;
    return { everListed: true, listedBy: answer.kubeletIncarnation, latest, absence: null };
  }
  const incarnation = answer.kubeletIncarnation;
  if (answer.kubeletUpMs < limits.kubeletUpMs && before.listedBy !== incarnation) {
    const latest = { kind: 'kubelet-too-young', upMs: answer.kubeletUpMs } as const;
    return { ...before, latest, absence: null };
  }
  const run = before.absence;
  const atMs = answer.askedAtMs;
  const latest = { kind: 'not-listed' } as const;
  if (run === null || run.incarnation !== incarnation) {
    const absence = { incarnation, lists: 1, firstMs: atMs, lastMs: atMs };
    return { ...before, latest, absence };
  }
  if (atMs <= run.lastMs) return { ...before, latest };
  const absence = { ...run, lists: run.lists + 1, lastMs: atMs };
  return { ...before, latest, absence };
}

/** What the API server (or the Pods API) knows about the pod of a lease. */
export type PodStatus =
  /** No pod with the holder's UID exists. */
  | { readonly kind: 'absent' }
  /** Phase Succeeded or Failed. */
  | { readonly kind: 'terminal'; readonly containersTerminated: boolean }
  /** Any other phase. */
  | { readonly kind: 'alive' }
  /** There is an API server, and it cannot be asked now, or it does not tell which pod it was. */
  | { readonly kind: 'unknown'; readonly why: string }
  /** The kubelet never listed a holder, so there is no pod to ask about. */
  | { readonly kind: 'unidentified' }
  /** This agent runs without an API server: this half of the rule is left out. */
  | { readonly kind: 'unavailable' };

/** Everything the judgement needs. */
export interface DepartureEvidence {
  readonly lists: ListWatch;
  readonly pod: PodStatus;
  readonly inside: Inside;
}

/** Whether the holder has gone. Only `gone` may end a lease. */
export type Departure =
  | { readonly kind: 'present'; readonly why: string }
  | { readonly kind: 'waiting'; readonly why: string }
  | { readonly kind: 'gone'; readonly why: string };

/**
 * Judges. `present` when one source shows the holder, `waiting` while a source is silent or has not said
 * it twice, `gone` when all agree. Source: the device manager frees devices lazily and tells nobody
 * (devicemanager UpdateAllocatedDevices), and its List is empty right after a kubelet start.
 */
export function judgeDeparture(
  evidence: DepartureEvidence,
  limits: DepartureLimits = defaultDepartureLimits,
): Departure {
  const verdicts = [
    judgeInside(evidence.inside),
    judgeLists(evidence.lists, limits),
    judgePod(evidence.pod, evidence.lists.everListed),
  ];
  return (
    verdicts.find((verdict) => verdict.kind === 'present') ??
    verdicts.find((verdict) => verdict.kind === 'waiting') ?? {
      kind: 'gone',
      why: verdicts.map((verdict) => verdict.why).join('; '),
    }
  );
}

function judgeInside(inside: Inside): Departure {
  switch (inside.kind) {
    case 'nobody':
      return { kind: 'gone', why: 'nobody has a member open' };
    case 'someone':
      return { kind: 'present', why: `someone is inside: ${firstEvidence(inside.evidence)}` };
    case 'unknown':
      return {
        kind: 'waiting',
        why: `who is inside is not known: ${firstEvidence(inside.evidence)}`,
      };
    default:
      return assertNever(inside, 'inside');
  }
}

function firstEvidence(
  evidence: readonly { readonly path: string; readonly says: string }[],
): string {
  const first = evidence[0];
  return first === undefined ? 'no evidence was given' : `${first.path} says ${first.says}`;
}

function judgeLists(lists: ListWatch, limits: DepartureLimits): Departure {
  const { latest, absence } = lists;
  switch (latest.kind) {
    case 'listed':
      return {
        kind: 'present',
        why: `the kubelet lists it for ${latest.holder.namespace}/${latest.holder.pod}`,
      };
    case 'none':
      return { kind: 'waiting', why: 'the kubelet has not been asked yet' };
    case 'unreachable':
      return { kind: 'waiting', why: `the kubelet cannot be asked: ${latest.why}` };
    case 'kubelet-too-young':
      return {
        kind: 'waiting',
        why: `the kubelet is up ${latest.upMs} ms, its list counts from ${limits.kubeletUpMs} ms on`,
      };
    case 'not-listed':
      break;
    default:
      return assertNever(latest, 'latest list');
  }
  if (absence === null || absence.lists < 2) {
    return { kind: 'waiting', why: 'one list without it; it takes two in a row' };
  }
  const apartMs = absence.lastMs - absence.firstMs;
  if (!lists.everListed && apartMs < limits.unlistedMs) {
    return {
      kind: 'waiting',
      why: `its pod was never listed; lists without it span ${apartMs} of ${limits.unlistedMs} ms`,
    };
  }
  return {
    kind: 'gone',
    why: lists.everListed
      ? `${absence.lists} lists in a row without it`
      : `its pod was never listed in ${apartMs} ms: the kubelet rejected it`,
  };
}

function judgePod(pod: PodStatus, everListed: boolean): Departure {
  switch (pod.kind) {
    case 'absent':
      return { kind: 'gone', why: 'the pod object is gone' };
    case 'terminal':
      return pod.containersTerminated
        ? { kind: 'gone', why: 'the pod has ended' }
        : { kind: 'present', why: 'the pod has ended but a container of it has not' };
    case 'alive':
      return { kind: 'present', why: 'the pod object says it has not ended' };
    case 'unknown':
      return { kind: 'waiting', why: `the pod's status is not known: ${pod.why}` };
    case 'unidentified':
      return everListed
        ? { kind: 'waiting', why: 'its pod was listed, but is not identified' }
        : { kind: 'gone', why: 'no pod to ask about' };
    case 'unavailable':
      return { kind: 'gone', why: 'no API server to ask' };
    default:
      return assertNever(pod, 'pod status');
  }
}
