/** By a signal that somebody else holds: nothing outlives it. */
const LISTENERS = new WeakMap<AbortSignal, Set<() => void>>();

/**
 * Calls `listener` when the signal is aborted, until the function that comes back is called. The signal itself gets one listener, however many
 * wait for it: it keeps them in a list that it walks for each one that leaves, which thousands of requests under one signal feel.
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  const known = LISTENERS.get(signal);
  const listeners = known ?? new Set();
  if (known === undefined) {
    LISTENERS.set(signal, listeners);
    signal.addEventListener('abort', () => callAll(listeners), { once: true });
  }
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

function callAll(listeners: ReadonlySet<() => void>): void {
  for (const listener of listeners) listener();
}
