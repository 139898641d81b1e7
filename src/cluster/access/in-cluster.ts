// Access from a pod: the mounted token and certificate authority of its service account. Both files are replaced
// under a running process, so they are read again every few seconds, and at once when the server refused them.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import { CodedError, errorText } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import { type ClusterAccess, type Credentials, plainTls } from './access.ts';

/** Where the kubelet mounts the service account. */
const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/** What the access of a pod is made from. */
export interface InClusterOptions {
  /** KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT. */
  readonly host: string;
  readonly port: string;
  /** Default: where the kubelet mounts it. */
  readonly folder?: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** The kubelet replaces a token when four fifths of its life are over: this is early enough by far. */
const rereadMs = 10_000;

class InClusterAccess implements ClusterAccess {
  readonly server: string;
  readonly namespace: string;
  readonly #options: InClusterOptions;
  readonly #folder: string;
  #known: { readonly credentials: Credentials; readonly readAtMs: number } | null = null;
  #reading: Promise<Credentials> | null = null;
  #stale = false;

  constructor(options: InClusterOptions, namespace: string) {
    // An IPv6 address needs its brackets.
    const host = options.host.includes(':') ? `[${options.host}]` : options.host;
    this.server = `https://${host}:${options.port}`;
    this.namespace = namespace;
    this.#options = options;
    this.#folder = options.folder ?? serviceAccountFolder;
  }

  credentials(): Promise<Credentials> {
    const known = this.#known;
    const nowMs = this.#options.clock.monotonicMs();
    if (known !== null && !this.#stale && nowMs - known.readAtMs < rereadMs) {
      return Promise.resolve(known.credentials);
    }
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  refused(): void {
    this.#stale = true;
  }

  async #read(): Promise<Credentials> {
    const readAtMs = this.#options.clock.monotonicMs();
    this.#stale = false;
    const before = this.#known?.credentials;
    try {
      const [token, ca] = await Promise.all([this.#file('token'), this.#file('ca.crt')]);
      const tls = before?.tls.ca === ca ? before.tls : { ...plainTls, ca };
      const credentials: Credentials = { tls, authorization: `Bearer ${token.trim()}` };
      this.#known = { credentials, readAtMs };
      return credentials;
    } catch (thrown) {
      const why = errorText(thrown);
      // While a volume is being replaced what was read last is still good; the server says when it is not.
      if (before === undefined) {
        throw new CodedError('WG_CREDENTIALS_FAILED', `service account: ${why}`, { cause: thrown });
      }
      this.#options.log.warn('cluster-credentials-unreadable', { folder: this.#folder, why });
      return before;
    }
  }

  async #file(name: string): Promise<string> {
    const text = await readFile(join(this.#folder, name), 'utf8');
    if (text.trim() === '') throw new Error(`${join(this.#folder, name)} is empty`);
    return text;
  }
}

/** Access by the service account of this pod. Throws CodedError WG_CREDENTIALS_FAILED when none is mounted. */
export async function inClusterAccess(options: InClusterOptions): Promise<ClusterAccess> {
  const folder = options.folder ?? serviceAccountFolder;
  const namespace = await readFile(join(folder, 'namespace'), 'utf8').then(
    (text) => text.trim(),
    () => 'default',
  );
  const access = new InClusterAccess(options, namespace);
  await access.credentials();
  return access;
}
