// Counts what a kernel does for the metrics: calls that are still blocked after their deadline, and hints. Changes
// nothing about any of them.
import type { KernelFs, Outcome } from '../kernel/fs.ts';
import type { Metrics } from '../observe/metrics.ts';

/** The same kernel, counted. */
export function observedKernel(
  kernel: KernelFs,
  metrics: Pick<Metrics, 'kernelPending' | 'hinted'>,
): KernelFs {
  let pending = 0;
  const counted = async <T>(call: Promise<Outcome<T>>): Promise<Outcome<T>> => {
    const outcome = await call;
    if (outcome.kind === 'pending') {
      metrics.kernelPending(++pending);
      void outcome.settles.then(() => metrics.kernelPending(--pending));
    }
    return outcome;
  };
  return {
    read: (path, options) => counted(kernel.read(path, options)),
    list: (path, options) => counted(kernel.list(path, options)),
    readLink: (path, options) => counted(kernel.readLink(path, options)),
    readLinks: (path, options) => counted(kernel.readLinks(path, options)),
    write: (path, data, options) => counted(kernel.write(path, data, options)),
    exists: (path, options) => counted(kernel.exists(path, options)),
    changes: (listener) =>
      kernel.changes((hint) => {
        metrics.hinted(hint.source);
        listener(hint);
      }),
  };
}
