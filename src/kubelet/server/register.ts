// One attempt to register with the kubelet. A fresh client each time: a channel that failed once waits
// up to two minutes before it dials again, and by then kubelet.sock belongs to another process.
import { credentials } from '@grpc/grpc-js';
import type { ResourceName } from '../../policy/policy.ts';
import { pluginOptions } from '../requests.ts';
import { outcomeText, unaryCall } from '../wire/call.ts';
import { ownConnection, unixAddress } from '../wire/socket.ts';
import type { PluginOptions } from './options.ts';
import { kubeletSocket } from './sockets.ts';

// SupportedVersions of the kubelet has only this one.
const deviceApiVersion = 'v1beta1';

/** What came of an attempt. After a failure by deadline the kubelet may have registered us all the same. */
export type RegisterOutcome =
  | { readonly kind: 'registered' }
  | { readonly kind: 'failed'; readonly why: string };

/**
 * Registers the server whose socket file is `endpoint`, which must be serving already: the kubelet dials
 * it and asks for its options before it answers. `signal` ends the attempt early. Never rejects.
 */
export async function registerOnce(
  options: PluginOptions,
  resource: ResourceName,
  endpoint: string,
  signal: AbortSignal,
): Promise<RegisterOutcome> {
  const client = new options.wire.Registration(
    unixAddress(kubeletSocket(options.folder)),
    credentials.createInsecure(),
    ownConnection,
  );
  try {
    const limit = { clock: options.clock, deadlineMs: options.timing.registerMs, signal };
    const outcome = await unaryCall(limit, (done) =>
      client.Register(
        {
          version: deviceApiVersion,
          endpoint,
          resource_name: resource,
          options: pluginOptions,
        },
        done,
      ),
    );
    if (outcome.kind === 'ok') return { kind: 'registered' };
    return { kind: 'failed', why: outcomeText(outcome) };
  } finally {
    client.close();
  }
}
