// How etcd and kube-apiserver of a test are started: loopback only, own certificates and tokens, everything audited.
import { join } from 'node:path';

/** Ports of the loopback address. */
export interface Ports {
  readonly api: number;
  readonly etcd: number;
  readonly peer: number;
}

/** Flags of etcd. */
export function etcdFlags(folder: string, { etcd, peer }: Ports): string[] {
  const [client, other] = [`http://127.0.0.1:${etcd}`, `http://127.0.0.1:${peer}`];
  return [
    ...['--data-dir', join(folder, 'etcd'), '--unsafe-no-fsync', '--log-level', 'error'],
    ...['--listen-client-urls', client, '--advertise-client-urls', client],
    ...['--listen-peer-urls', other, '--initial-advertise-peer-urls', other],
    ...['--initial-cluster', `default=${other}`],
  ];
}

/** Flags of kube-apiserver. */
export function apiFlags(folder: string, ports: Ports): string[] {
  const file = (name: string): string => join(folder, name);
  return [
    `--etcd-servers=http://127.0.0.1:${ports.etcd}`,
    `--secure-port=${ports.api}`,
    '--bind-address=127.0.0.1',
    // An address of documentation: nobody is told to go there, and a loopback one is refused.
    '--advertise-address=192.0.2.1',
    '--endpoint-reconciler-type=none',
    '--service-cluster-ip-range=10.96.0.0/16',
    `--tls-cert-file=${file('server.crt')}`,
    `--tls-private-key-file=${file('server.key')}`,
    `--token-auth-file=${file('tokens.csv')}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${file('tokens.pub')}`,
    `--service-account-signing-key-file=${file('tokens.key')}`,
    '--allow-privileged=true',
    `--audit-policy-file=${file('audit-policy.yaml')}`,
    `--audit-log-path=${file('audit.log')}`,
    // In one file: what is counted must not be rotated away.
    '--audit-log-maxsize=4096',
  ];
}

/** A kubeconfig, as JSON, which is YAML. */
export function kubeconfig(url: string, caFile: string, token: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server: url, 'certificate-authority': caFile } }],
    users: [{ name: 'test', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
    'current-context': 'test',
  });
}
