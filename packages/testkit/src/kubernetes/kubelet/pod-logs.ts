import type { Clock } from "../clock.ts";

export type LogLine = { readonly time: Date; readonly text: string };

/** What containers said: the run now and the one before. */
export type PodLogs = {
  say(pod: string, container: string, ...lines: readonly string[]): void;
  /** A new run begins; what was said so far is of the one before. */
  turn(pod: string, container: string): void;
  read(pod: string, container: string): readonly LogLine[] | undefined;
  previous(pod: string, container: string): readonly LogLine[] | undefined;
  forget(pod: string): void;
  onLine(listener: (pod: string, container: string, line: LogLine) => void): () => void;
};

type Book = { readonly now: LogLine[]; readonly before: LogLine[] | undefined };

/** `pod` is the pod's uid everywhere. */
export function openPodLogs(clock: Clock): PodLogs {
  const books = new Map<string, Map<string, Book>>();
  const listeners = new Set<(pod: string, container: string, line: LogLine) => void>();
  const bookOf = (pod: string, container: string): Book | undefined => books.get(pod)?.get(container);
  const keep = (pod: string, container: string, book: Book): Book => {
    const ofPod = books.get(pod) ?? new Map<string, Book>();
    books.set(pod, ofPod.set(container, book));
    return book;
  };
  return {
    say: (pod, container, ...lines) => {
      const book = bookOf(pod, container) ?? keep(pod, container, { now: [], before: undefined });
      for (const text of lines) {
        const line = { time: clock.now(), text };
        book.now.push(line);
        for (const listener of listeners) listener(pod, container, line);
      }
    },
    turn: (pod, container) => void keep(pod, container, { now: [], before: bookOf(pod, container)?.now }),
    read: (pod, container) => bookOf(pod, container)?.now,
    previous: (pod, container) => bookOf(pod, container)?.before,
    forget: (pod) => void books.delete(pod),
    onLine: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
