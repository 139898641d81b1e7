// Reading kubeconfig files as kubectl does: KUBECONFIG may name several, the first that names a thing wins, and
// relative paths are relative to the file they stand in. Refuses a file it does not understand, naming the field.
import { readFile } from 'node:fs/promises';
import { delimiter, dirname, join, resolve } from 'node:path';
import { parse } from 'yaml';
import type { Clock } from '../../base/clock.ts';
import { CodedError, errorText } from '../../base/errors.ts';
import type { ClusterAccess } from './access.ts';
import {
  type ClusterEntry,
  type ContextEntry,
  type KubeconfigFile,
  kubeconfigSchema,
  type UserEntry,
} from './kubeconfig-form.ts';
import { UserAccess } from './user-access.ts';

/** Where to look, and which context to take. */
export interface KubeconfigOptions {
  /** The environment: KUBECONFIG and HOME are read, and exec plugins inherit it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** --kubeconfig: one file, instead of KUBECONFIG. */
  readonly file?: string;
  /** --context: instead of current-context. */
  readonly context?: string;
  readonly clock: Clock;
}

interface Kubeconfig {
  readonly clusters: ReadonlyMap<string, ClusterEntry>;
  readonly users: ReadonlyMap<string, UserEntry>;
  readonly contexts: ReadonlyMap<string, ContextEntry>;
  readonly currentContext: string;
}

const unusable = (message: string, cause?: unknown): CodedError =>
  new CodedError('WG_KUBECONFIG_INVALID', message, { cause });

/** The files to read, in order of precedence. */
export function kubeconfigPaths(
  options: Pick<KubeconfigOptions, 'environment' | 'file'>,
): readonly string[] {
  if (options.file !== undefined) return [options.file];
  const listed = (options.environment.KUBECONFIG ?? '').split(delimiter).filter(Boolean);
  if (listed.length > 0) return listed;
  const home = options.environment.HOME;
  return home === undefined ? [] : [join(home, '.kube', 'config')];
}

/** The paths of an entry made absolute. */
function absolute<Entry extends object>(
  entry: Entry,
  folder: string,
  fields: readonly (keyof Entry & string)[],
): Entry {
  const paths = fields.flatMap((field) => {
    const path = entry[field];
    return typeof path === 'string' ? [[field, resolve(folder, path)] as const] : [];
  });
  return { ...entry, ...Object.fromEntries(paths) };
}

/** One file; null when it is not there, which is no mistake when there are others. */
async function readKubeconfig(path: string): Promise<KubeconfigFile | null> {
  const text = await readFile(path, 'utf8').catch((thrown: unknown) => {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw unusable(`${path}: ${errorText(thrown)}`, thrown);
  });
  if (text === null) return null;
  let value: unknown;
  try {
    value = parse(text) ?? {};
  } catch (thrown) {
    throw unusable(`${path}: ${errorText(thrown)}`, thrown);
  }
  const checked = kubeconfigSchema.safeParse(value);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw unusable(`${path}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not usable'}`);
  }
  return checked.data;
}

const firstWins = <Entry>(map: Map<string, Entry>, name: string, entry: Entry): void => {
  if (!map.has(name)) map.set(name, entry);
};

async function readAll(paths: readonly string[]): Promise<Kubeconfig> {
  const clusters = new Map<string, ClusterEntry>();
  const users = new Map<string, UserEntry>();
  const contexts = new Map<string, ContextEntry>();
  let currentContext = '';
  for (const path of paths) {
    const file = await readKubeconfig(path);
    if (file === null) continue;
    const folder = dirname(path);
    for (const { name, cluster } of file.clusters ?? [])
      firstWins(clusters, name, absolute(cluster, folder, ['certificate-authority']));
    for (const { name, user } of file.users ?? []) {
      const paths = ['client-certificate', 'client-key', 'tokenFile'] as const;
      firstWins(users, name, absolute(user ?? {}, folder, paths));
    }
    for (const { name, context } of file.contexts ?? []) firstWins(contexts, name, context);
    if (currentContext === '') currentContext = file['current-context'] ?? '';
  }
  return { clusters, users, contexts, currentContext };
}

function named<Entry>(map: ReadonlyMap<string, Entry>, what: string, name: string): Entry {
  const entry = map.get(name);
  if (entry !== undefined) return entry;
  const known = map.size === 0 ? 'there are none' : `known: ${[...map.keys()].join(', ')}`;
  throw unusable(`there is no ${what} "${name}" in the kubeconfig (${known})`);
}

/** Access as a kubeconfig describes it. Throws CodedError WG_KUBECONFIG_INVALID naming what is wrong. */
export async function kubeconfigAccess(options: KubeconfigOptions): Promise<ClusterAccess> {
  const paths = kubeconfigPaths(options);
  const config = await readAll(paths);
  const contextName = options.context ?? config.currentContext;
  if (contextName === '') {
    throw unusable(`no current-context in ${paths.join(', ') || 'any kubeconfig'}`);
  }
  const context = named(config.contexts, 'context', contextName);
  const cluster = named(config.clusters, 'cluster', context.cluster);
  const user = context.user === '' ? {} : named(config.users, 'user', context.user);
  if (cluster['proxy-url'] !== undefined) {
    throw unusable(`cluster "${context.cluster}": proxy-url is not supported`);
  }
  if (user['auth-provider'] !== undefined) {
    throw unusable(
      `user "${context.user}": auth-provider is not supported; Kubernetes replaced it with exec plugins`,
    );
  }
  const { environment, clock } = options;
  return new UserAccess({
    cluster,
    user,
    namespace: context.namespace ?? 'default',
    environment,
    clock,
  });
}

/** Names of the contexts that can be chosen. Throws CodedError WG_KUBECONFIG_INVALID for a file that is none. */
export async function kubeconfigContexts(
  options: Pick<KubeconfigOptions, 'environment' | 'file'>,
): Promise<readonly string[]> {
  const { contexts } = await readAll(kubeconfigPaths(options));
  return [...contexts.keys()];
}
