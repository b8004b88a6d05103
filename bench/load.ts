import { Agent, request } from "node:http";

export type Ask = {
  readonly method: string;
  readonly url: string;
  readonly headers?: Record<string, string>;
  readonly body?: () => string;
};

/** `users` keep-alive clients ask one after the other until `count` answers are there; the latencies in ms. */
export async function latencies(
  ask: Ask,
  { users, count }: { users: number; count: number },
): Promise<number[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: users });
  const times: number[] = [];
  let begun = 0;
  const user = async () => {
    while (begun++ < count) {
      const startedAt = performance.now();
      await once(ask, agent);
      times.push(performance.now() - startedAt);
    }
  };
  await Promise.all(Array.from({ length: users }, user));
  agent.destroy();
  return times;
}

const once = ({ method, url, headers, body }: Ask, agent: Agent): Promise<void> =>
  new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method, agent, headers: { ...headers, ...(body ? { "content-type": "application/json" } : {}) } },
      (answer) => {
        answer
          .resume()
          .on("end", () =>
            answer.statusCode! < 300
              ? resolve()
              : reject(new Error(`${method} ${url} answered ${answer.statusCode}`)),
          );
      },
    );
    sent.on("error", reject).end(body?.());
  });
