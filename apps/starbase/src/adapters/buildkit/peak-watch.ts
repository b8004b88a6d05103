/** The most that was in use since the watch began, whoever else began one meanwhile. */
export type Peak = Disposable & { most(): number };

/**
 * Shares one high-water mark, which can only be read and begun anew, among those who want to know of different times:
 * before it begins anew, all who watch are told what it was.
 */
export function peakWatch({ read, reset }: { read(): number; reset(): void }): { begin(): Peak } {
  const watching = new Set<{ most: number }>();
  const tell = (): void => {
    const now = read();
    for (const one of watching) one.most = Math.max(one.most, now);
  };
  return {
    begin() {
      tell();
      reset();
      const own = { most: 0 };
      watching.add(own);
      return {
        most() {
          tell();
          return own.most;
        },
        [Symbol.dispose]: () => void watching.delete(own),
      };
    },
  };
}
