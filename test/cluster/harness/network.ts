// The bridge that joins the machines of a cluster, with the addresses of the run itself on it.
import { hubAddress } from './node-files.ts';
import { succeed } from './run.ts';

/** Lays it; the API server's service address is one of its own, so that nothing has to translate it. */
export async function layNetwork(): Promise<void> {
  const script = `ip link add wg0 type bridge
    ip addr add ${hubAddress}/24 dev wg0
    ip addr add 10.96.0.1/32 dev wg0
    ip link set wg0 up
    echo 1 >/proc/sys/net/ipv4/ip_forward`;
  await succeed('bash', ['-ec', script]);
}

/** Takes it away. */
export async function clearNetwork(): Promise<void> {
  await succeed('ip', ['link', 'delete', 'wg0']);
}
