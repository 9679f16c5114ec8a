import type { StoredOperation } from "../model.ts";

/** Lets any number of waiters know when an operation is done. */
export class OperationWaiters {
  readonly #waiters = new Map<string, Set<() => void>>();

  /** Resolves when the operation is done or after `timeoutMs`, whichever is first. */
  wait(name: string, isDone: () => boolean, timeoutMs: number): Promise<void> {
    if (isDone()) return Promise.resolve();
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(name) ?? new Set();
      this.#waiters.set(name, waiters);
      const settle = () => {
        clearTimeout(timer);
        waiters.delete(settle);
        if (waiters.size === 0) this.#waiters.delete(name);
        resolve();
      };
      const timer = setTimeout(settle, timeoutMs);
      timer.unref();
      waiters.add(settle);
    });
  }

  notify(name: string): void {
    for (const settle of this.#waiters.get(name) ?? []) settle();
  }
}

/** Pending operations, oldest first: what a restarted daemon has to take up again. */
export function pendingOperations(operations: Record<string, StoredOperation>): StoredOperation[] {
  return Object.values(operations)
    .filter((stored) => stored.operation.done !== true)
    .sort((a, b) => a.generation - b.generation);
}
