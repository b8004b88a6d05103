import { listen, type Listening, type Serving } from "./server.ts";

/** The server's door: it can be shut, so that connections are refused, and opened again at the same address. */
export type Door = AsyncDisposable & {
  readonly url: string;
  /** Breaks every watch and every followed log. */
  cut(): void;
  refuse(): Promise<() => Promise<void>>;
};

export async function openDoor(settings: Omit<Serving, "streams">): Promise<Door> {
  const serving: Serving = { ...settings, streams: new Set() };
  let listening: Listening | undefined = await listen(serving);
  const { url, port } = listening;
  const shut = async (): Promise<void> => {
    const open = listening;
    listening = undefined;
    if (!open) return;
    const closed = new Promise((resolve) => open.server.close(resolve));
    open.server.closeAllConnections();
    await closed;
  };
  return {
    url,
    cut: () => {
      for (const stream of serving.streams) stream.destroy();
    },
    refuse: async () => {
      await shut();
      return async () => {
        listening ??= await listen(serving, port);
      };
    },
    [Symbol.asyncDispose]: shut,
  };
}
