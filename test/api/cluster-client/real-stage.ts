// The stage of the client layer's cases with a real kube-apiserver: TLS from end to end, the proxy in between with a
// certificate of the same authority.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { FaultProxy } from '../../cluster-client/fault-proxy.ts';
import { clientFor, type Stage, tokenAccess } from '../../cluster-client/stage.ts';
import type { ApiServer } from '../support/api-server.ts';
import { writeServingCertificate } from '../support/certificates.ts';

/** A stage on a running server; `label` tells its objects from those of other stages. */
export async function realStage(server: ApiServer, label: string): Promise<Stage> {
  const read = (name: string): string => readFileSync(join(server.folder, name), 'utf8');
  writeServingCertificate(server.folder, 'proxy');
  const proxy = await FaultProxy.start({
    upstream: server.url,
    upstreamCa: () => read('ca.crt'),
    tls: { cert: read('proxy.crt'), key: read('proxy.key') },
  });
  const access = (url: string) => tokenAccess(url, server.tokens.admin, () => read('ca.crt'));
  const direct = clientFor(access(server.url));
  const client = clientFor(access(proxy.url));
  return {
    ...{ proxy, direct, client, label },
    // The API server remembers what etcd has forgotten, until it starts again.
    compact: async () => {
      await server.restart();
      await server.compact();
    },
    [Symbol.asyncDispose]: async () => {
      client.close();
      direct.close();
      await proxy.close();
    },
  };
}
