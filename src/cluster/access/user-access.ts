// Access as a person has it: certificates, tokens, passwords and exec plugins of a kubeconfig, read when they are
// needed and again when the server refused them or an exec credential has expired.
import { readFile } from 'node:fs/promises';
import type { Clock } from '../../base/clock.ts';
import { CodedError, errorText } from '../../base/errors.ts';
import type { ClusterAccess, Credentials, TlsMaterial } from './access.ts';
import { type ExecCredential, runExecPlugin } from './exec-plugin.ts';
import type { ClusterEntry, UserEntry } from './kubeconfig-form.ts';

/** One cluster and one user of a kubeconfig. */
export interface UserAccessOptions {
  readonly cluster: ClusterEntry;
  readonly user: UserEntry;
  readonly namespace: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

/** Tokens in files are replaced by whoever mounts them. */
const rereadMs = 10_000;

/** Inline base64 goes before a path, as in client-go. */
async function pem(data: string | undefined, path: string | undefined): Promise<string | null> {
  if (data !== undefined && data !== '') return Buffer.from(data, 'base64').toString('utf8');
  return path === undefined ? null : await readFile(path, 'utf8');
}

const sameTls = (a: TlsMaterial, b: TlsMaterial): boolean =>
  a.ca === b.ca &&
  a.cert === b.cert &&
  a.key === b.key &&
  a.serverName === b.serverName &&
  a.skipVerify === b.skipVerify;

/** Access by a kubeconfig entry. */
export class UserAccess implements ClusterAccess {
  readonly server: string;
  readonly namespace: string;
  readonly #options: UserAccessOptions;
  #known: { readonly credentials: Credentials; readonly goodUntilMs: number } | null = null;
  #reading: Promise<Credentials> | null = null;

  constructor(options: UserAccessOptions) {
    this.#options = options;
    this.server = options.cluster.server.replace(/\/+$/, '');
    this.namespace = options.namespace;
  }

  credentials(): Promise<Credentials> {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#known !== null && nowMs < this.#known.goodUntilMs) {
      return Promise.resolve(this.#known.credentials);
    }
    this.#reading ??= this.#read(nowMs).finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  refused(): void {
    if (this.#known !== null) this.#known = { ...this.#known, goodUntilMs: 0 };
  }

  async #read(nowMs: number): Promise<Credentials> {
    const { cluster, user, environment, clock } = this.#options;
    try {
      const exec: ExecCredential | null =
        user.exec === undefined || user.exec === null
          ? null
          : await runExecPlugin({ exec: user.exec, cluster, environment, clock });
      const tls = await this.#tls(exec);
      const authorization = await this.#authorization(exec);
      const known = this.#known?.credentials.tls;
      const credentials = {
        tls: known !== undefined && sameTls(known, tls) ? known : tls,
        authorization,
      };
      const lifeMs = exec === null ? rereadMs : (exec.lifeMs ?? Number.POSITIVE_INFINITY);
      this.#known = { credentials, goodUntilMs: nowMs + lifeMs };
      return credentials;
    } catch (thrown) {
      if (thrown instanceof CodedError) throw thrown;
      throw new CodedError('WG_CREDENTIALS_FAILED', errorText(thrown), { cause: thrown });
    }
  }

  async #tls(exec: ExecCredential | null): Promise<TlsMaterial> {
    const { cluster, user } = this.#options;
    const ca = pem(cluster['certificate-authority-data'], cluster['certificate-authority']);
    const cert = pem(user['client-certificate-data'], user['client-certificate']);
    const key = pem(user['client-key-data'], user['client-key']);
    return {
      ca: await ca,
      cert: exec?.cert ?? (await cert),
      key: exec?.key ?? (await key),
      serverName: cluster['tls-server-name'] ?? null,
      skipVerify: cluster['insecure-skip-tls-verify'] ?? false,
    };
  }

  async #authorization(exec: ExecCredential | null): Promise<string | null> {
    const { user } = this.#options;
    if (exec?.token !== undefined && exec.token !== null) return `Bearer ${exec.token}`;
    if (user.tokenFile !== undefined) {
      return `Bearer ${(await readFile(user.tokenFile, 'utf8')).trim()}`;
    }
    if (user.token !== undefined) return `Bearer ${user.token}`;
    if (user.username === undefined) return null;
    const pair = Buffer.from(`${user.username}:${user.password ?? ''}`).toString('base64');
    return `Basic ${pair}`;
  }
}
