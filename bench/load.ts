import { Agent, request } from "node:http";

export type Ask = {
  readonly method: string;
  readonly url: string;
  readonly headers?: Record<string, string>;
  readonly body?: () => string;
};

export type Users = Disposable & {
  /** They ask one after the other until `count` answers are there; the latencies in ms. */
  latencies(ask: Ask, count: number): Promise<number[]>;
};

/**
 * So many keep-alive clients of one server. Node accepts one connection each turn of its loop: where a hundred come to a
 * busy server at once, what is measured first is how long the last of them waits to be let in, so connections stay.
 */
export function openUsers(users: number): Users {
  const agent = new Agent({ keepAlive: true, maxSockets: users, maxFreeSockets: users });
  return {
    async latencies(ask, count) {
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
      return times;
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
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
