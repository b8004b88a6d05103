import { randomUUID } from "node:crypto";
import type { Malformed } from "../http1/malformed.ts";
import { answerBytes } from "../pages/answer.ts";
import { type OutcomeName, outcomes, type Subject } from "../pages/outcomes.ts";
import { hostnameOf } from "../routing/route-table.ts";
import type { Client, Exchange } from "./exchange.ts";
import { finish, linger, release } from "./finish.ts";

/** Answers instead of the app. After the first byte of an answer there is nothing left to say: the client's connection is cut. */
export function refuse(x: Exchange, name: OutcomeName, reason = x.route?.spec.reason): void {
  if (x.isDone) return;
  const outcome = outcomes[name](subjectOf(x, reason));
  x.flag = outcome.flag;
  if (x.response) return finish(x, { isReusable: false, isBroken: true });
  x.status = outcome.status;
  // A body that nobody will read cannot be told from the next request by reading on: the connection ends here.
  x.isLast ||= !x.requestBody.isDone || x.gateway.isClosing;
  release(x, false);
  const accept = x.head.fields.names.indexOf("accept");
  x.client.socket.write(
    answerBytes(outcome, {
      accept: accept === -1 ? undefined : x.head.fields.values[accept],
      isHead: x.head.method === "HEAD",
      requestId: x.requestId,
      isLast: x.isLast,
    }),
  );
  finish(x, { isReusable: false });
}

/** Answers a message that could not be read, and closes: where the next one would begin is unknown. */
export function refuseClient(client: Client, failure: Malformed | "request_timeout"): void {
  const subject: Subject = {
    host: "",
    service: "",
    reason: failure === "request_timeout" ? undefined : failure.message,
  };
  const outcome =
    failure === "request_timeout"
      ? outcomes.request_timeout()
      : { ...outcomes.malformed(subject), status: failure.status };
  client.socket.write(
    answerBytes(outcome, { accept: undefined, isHead: false, requestId: randomUUID(), isLast: true }),
  );
  linger(client);
}

const subjectOf = (x: Exchange, reason: string | undefined): Subject => ({
  host: hostnameOf(x.head.host),
  service: x.route ? `service ${x.route.spec.service_name}` : "service",
  reason,
});
