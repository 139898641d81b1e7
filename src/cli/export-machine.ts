// placeholder while writing
import type { KernelFs } from '../kernel/fs.ts';
import type { MachineLook } from './look-at-machine.ts';
export function exportMachine(_kernel: KernelFs, _machine: MachineLook): Promise<string> {
  return Promise.reject(new Error('not yet'));
}
