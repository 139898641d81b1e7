// What can be asked of a list and of a watch, and the query strings for it.
import type { KubeObject } from './objects.ts';

/** Which objects of a resource. */
export interface Selection {
  readonly namespace?: string | undefined;
  /** For example `wholegroup.dev/node=worker-1`. */
  readonly labelSelector?: string | undefined;
  /** For example `spec.nodeName=worker-1`. */
  readonly fieldSelector?: string | undefined;
}

/** One page of a list. */
export interface ListOptions extends Selection {
  /** At most this many objects; all of them when it is not given. */
  readonly limit?: number | undefined;
  /** Where the page before ended. */
  readonly continue?: string | undefined;
}

/** A watch of a resource. */
export interface WatchOptions extends Selection {
  /** Events after this version. */
  readonly resourceVersion: string;
  /** When the server ends the watch in an orderly way. */
  readonly timeoutSeconds: number;
  /** How long it may be silent: longer than the minute between two bookmarks. */
  readonly idleMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** One page of a list, as the server sends it. */
export interface Page<T extends KubeObject> {
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
  readonly items: readonly T[] | null;
}

/** True for a page of a list: something else than the API server may answer as well, with JSON of its own. */
export function isPage(value: unknown): boolean {
  const { metadata, items } = (value ?? {}) as { metadata?: unknown; items?: unknown };
  return (
    typeof metadata === 'object' && metadata !== null && (items === null || Array.isArray(items))
  );
}

function queryOf(values: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(values).flatMap(([name, value]) =>
    value === undefined || value === '' ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}

/** Query string of a page. */
export function listQuery(options: ListOptions): string {
  const { labelSelector, fieldSelector, limit } = options;
  return queryOf({ labelSelector, fieldSelector, limit, continue: options.continue });
}

/** Query string of a watch; always with bookmarks, so that a quiet resource keeps a version that is still known. */
export function watchQuery(options: WatchOptions): string {
  const { labelSelector, fieldSelector, resourceVersion, timeoutSeconds } = options;
  return queryOf({
    watch: 'true',
    allowWatchBookmarks: 'true',
    labelSelector,
    fieldSelector,
    resourceVersion,
    timeoutSeconds,
  });
}
