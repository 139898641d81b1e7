// The form of a kubeconfig file as far as it is used. Unknown fields are let through, as kubectl does; what would
// change who one talks to and cannot be done here (proxy-url, auth-provider) is refused where it is used.
import * as z from 'zod';

const path = z.string().min(1);

const cluster = z.object({
  server: z.string().regex(/^https?:\/\//, 'must begin with https:// or http://'),
  'certificate-authority': path.optional(),
  'certificate-authority-data': z.string().optional(),
  'insecure-skip-tls-verify': z.boolean().optional(),
  'tls-server-name': z.string().optional(),
  'proxy-url': z.string().optional(),
});

const exec = z.object({
  apiVersion: z.string(),
  command: z.string().min(1),
  args: z.array(z.string()).nullish(),
  env: z.array(z.object({ name: z.string(), value: z.string() })).nullish(),
  interactiveMode: z.enum(['Never', 'IfAvailable', 'Always']).nullish(),
  installHint: z.string().nullish(),
  provideClusterInfo: z.boolean().nullish(),
});

const user = z.object({
  'client-certificate': path.optional(),
  'client-certificate-data': z.string().optional(),
  'client-key': path.optional(),
  'client-key-data': z.string().optional(),
  token: z.string().optional(),
  tokenFile: path.optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  exec: exec.nullish(),
  'auth-provider': z.unknown().optional(),
});

const context = z.object({
  cluster: z.string(),
  user: z.string().default(''),
  namespace: z.string().optional(),
});

/** One kubeconfig file. kubectl writes null for lists that are empty. */
export const kubeconfigSchema = z.object({
  'current-context': z.string().nullish(),
  clusters: z.array(z.object({ name: z.string(), cluster })).nullish(),
  users: z.array(z.object({ name: z.string(), user: user.nullable() })).nullish(),
  contexts: z.array(z.object({ name: z.string(), context })).nullish(),
});

/** A cluster entry. */
export type ClusterEntry = z.output<typeof cluster>;

/** A user entry. */
export type UserEntry = z.output<typeof user>;

/** A context entry. */
export type ContextEntry = z.output<typeof context>;

/** The exec part of a user entry. */
export type ExecEntry = z.output<typeof exec>;

/** One file, checked. */
export type KubeconfigFile = z.output<typeof kubeconfigSchema>;
