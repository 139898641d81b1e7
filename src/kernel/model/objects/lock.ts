// A sleeping lock of the kernel: a mutex whose waiters sleep uninterruptibly and get it in order of arrival.
// Not reentrant, as in the kernel; whoever gives it must hold it.
import { assert } from '../../../base/assert.ts';
import type { Task } from '../vfs.ts';

interface Waiter {
  readonly task: Task;
  readonly go: () => void;
}

/** device_lock() of one device, or the global pci_rescan_remove_lock. */
export class SleepLock {
  #holder: Task | null = null;
  readonly #queue: Waiter[] = [];

  /** Who has it. */
  get holder(): Task | null {
    return this.#holder;
  }

  /** How many wait for it. */
  get waiters(): number {
    return this.#queue.length;
  }

  /** Takes it if it is free (mutex_trylock). */
  tryTake(task: Task): boolean {
    if (this.#holder !== null) return false;
    this.#holder = task;
    return true;
  }

  /** Takes it: undefined when it was free, else a promise that resolves when it is this task's turn. */
  take(task: Task): Promise<void> | undefined {
    if (this.tryTake(task)) return undefined;
    task.state = 'D';
    return new Promise((resolve) => {
      this.#queue.push({ task, go: resolve });
    });
  }

  /** Gives it up; the first waiter has it from this moment on. */
  give(task: Task): void {
    assert(this.#holder === task, 'a lock is given up by its holder');
    const next = this.#queue.shift();
    this.#holder = next?.task ?? null;
    if (next === undefined) return;
    if (task.justWoken !== true) task.handedOver = true;
    next.task.justWoken = true;
    next.task.state = 'R';
    next.go();
  }
}
