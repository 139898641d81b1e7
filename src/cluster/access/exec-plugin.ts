// Exec credential plugins (client.authentication.k8s.io): a program that prints a token or a certificate. It gets
// KUBERNETES_EXEC_INFO as client-go gives it, has a deadline, and is never asked to talk to a person.
import { spawn } from 'node:child_process';
import * as z from 'zod';
import type { Clock } from '../../base/clock.ts';
import { CodedError, errorText } from '../../base/errors.ts';
import type { ClusterEntry, ExecEntry } from './kubeconfig-form.ts';

/** What a plugin gave, and for how long it is good. */
export interface ExecCredential {
  readonly token: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  /** Null: until the server refuses it. */
  readonly lifeMs: number | null;
}

/** What is needed to run one. */
export interface ExecRun {
  readonly exec: ExecEntry;
  readonly cluster: ClusterEntry;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
}

/** Logging in at a cloud takes seconds; one that takes longer waits for a person who is not there. */
const deadlineMs = 60_000;
const lifeMsMin = 10_000;

const credentialSchema = z.object({
  kind: z.literal('ExecCredential'),
  status: z.object({
    token: z.string().optional(),
    clientCertificateData: z.string().optional(),
    clientKeyData: z.string().optional(),
    expirationTimestamp: z.string().optional(),
  }),
});

function execInfo({ exec, cluster }: ExecRun): string {
  const spec = {
    interactive: false,
    ...(exec.provideClusterInfo === true
      ? {
          cluster: {
            server: cluster.server,
            'certificate-authority-data': cluster['certificate-authority-data'],
            'tls-server-name': cluster['tls-server-name'],
            'insecure-skip-tls-verify': cluster['insecure-skip-tls-verify'],
          },
        }
      : {}),
  };
  return JSON.stringify({ apiVersion: exec.apiVersion, kind: 'ExecCredential', spec });
}

interface Printed {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function run(options: ExecRun): Promise<Printed> {
  const { exec, environment, clock } = options;
  const extra = Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value]));
  return new Promise((resolve, reject) => {
    const child = spawn(exec.command, exec.args ?? [], {
      env: { ...environment, ...extra, KUBERNETES_EXEC_INFO: execInfo(options) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    const timer = clock.after(deadlineMs, () => {
      child.kill('SIGKILL');
      reject(new Error(`no answer within ${deadlineMs / 1000} s`));
    });
    child.on('error', (error) => {
      timer.clear();
      reject(error);
    });
    child.on('close', (code) => {
      timer.clear();
      resolve({ code, out, err });
    });
  });
}

function credentialOf(text: string, wallMs: number): ExecCredential {
  const { status } = credentialSchema.parse(JSON.parse(text));
  const expires = status.expirationTimestamp;
  // A minute early, so that a request under way does not meet the end. One that is over already, or by a clock that
  // is wrong, is used for a moment all the same: otherwise the plugin would run for every request.
  const lifeMs =
    expires === undefined
      ? null
      : Math.max(lifeMsMin, Date.parse(expires) - wallMs - 60_000 || lifeMsMin);
  return {
    token: status.token ?? null,
    cert: status.clientCertificateData ?? null,
    key: status.clientKeyData ?? null,
    lifeMs,
  };
}

/** Runs the plugin once. Throws CodedError WG_CREDENTIALS_FAILED with what it printed, and its install hint. */
export async function runExecPlugin(options: ExecRun): Promise<ExecCredential> {
  const { exec, clock } = options;
  const failed = (why: string, cause?: unknown): CodedError => {
    const hint = exec.installHint ? `\n${exec.installHint}` : '';
    return new CodedError('WG_CREDENTIALS_FAILED', `exec plugin ${exec.command}: ${why}${hint}`, {
      cause,
    });
  };
  if (exec.interactiveMode === 'Always') throw failed('it wants to talk to a person');
  const printed = await run(options).catch((thrown: unknown) => {
    throw failed(errorText(thrown), thrown);
  });
  if (printed.code !== 0) throw failed(printed.err.trim() || `it ended with ${printed.code}`);
  try {
    return credentialOf(printed.out, clock.wallMs());
  } catch (thrown) {
    throw failed('it printed no ExecCredential', thrown);
  }
}
