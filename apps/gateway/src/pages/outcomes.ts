/** Every answer the gateway gives by itself: its status, Envoy's response flag, and the words for a person. */
export type Outcome = {
  readonly status: number;
  readonly flag: string;
  readonly title: string;
  readonly what: string;
  readonly next: string;
  readonly retryAfterS?: number;
};

/** What an outcome may name; `service` as in "the service web", without the article. */
export type Subject = {
  readonly host: string;
  readonly service: string;
  readonly reason: string | undefined;
};

const because = ({ reason }: Subject): string => (reason ? ` ${reason}` : "");

export const outcomes = {
  unknown_host: ({ host }) => ({
    status: 404,
    flag: "NR",
    title: "No app answers at this address",
    what: `No service is published at ${host}.`,
    next: "Check the spelling: addresses are <service>-<project>[-<environment>].<apps domain>. `starform open` shows the right one; a service that was just created appears with its first deployment.",
  }),
  unknown_neighbour: ({ host }) => ({
    status: 404,
    flag: "NR",
    title: "No service of this environment has this name",
    what: `There is no web service ${host} in this environment.`,
    next: "Check the spelling: inside an environment the address is http://<service>:8080. `starform services` lists the names; a reference such as ${{api.STARFORM_PRIVATE_URL}} keeps up with them.",
  }),
  no_instance: (subject) => ({
    status: 503,
    flag: "UH",
    title: "The app has no healthy instance",
    what: `The ${subject.service} is deployed, but none of its instances is ready.${because(subject)}`,
    next: "It is tried again without your help. `starform status` shows each instance and why it is not ready; `starform logs` what it printed.",
    retryAfterS: 5,
  }),
  deploying: (subject) => ({
    status: 503,
    flag: "UH",
    title: "The app is being deployed",
    what: `The first instance of the ${subject.service} is starting.${because(subject)}`,
    next: "Wait a moment: this page asks again by itself. `starform logs --follow` shows the start as it happens.",
    retryAfterS: 2,
  }),
  stopped: (subject) => ({
    status: 503,
    flag: "UH",
    title: "The app is stopped",
    what: `The ${subject.service} has been stopped, so nothing runs that could answer.${because(subject)}`,
    next: "Start it with `starform scale` or with a new deployment.",
    retryAfterS: 60,
  }),
  crashed: (subject) => ({
    status: 502,
    flag: "UH",
    title: "The app has crashed",
    what: `The ${subject.service} ended unexpectedly and is not running now.${because(subject)}`,
    next: "It is restarted with growing pauses. `starform logs` shows its last words; `starform rollback` brings back the deployment before.",
    retryAfterS: 5,
  }),
  connect_failed: (subject) => ({
    status: 502,
    flag: "UF",
    title: "The app cannot be reached",
    what: `The ${subject.service} should be running, but refused the connection.${because(subject)}`,
    next: "It may be restarting: try again in a moment. The app must listen on the port in PORT; `starform status` shows whether it does.",
    retryAfterS: 2,
  }),
  closed_early: ({ service }) => ({
    status: 502,
    flag: "UC",
    title: "The app closed the connection",
    what: `The ${service} took the request and closed the connection without a whole answer: most often it crashed on it.`,
    next: "`starform logs` shows what it printed at that moment. The request was not repeated, because the app may have acted on it.",
  }),
  invalid_response: ({ service, reason }) => ({
    status: 502,
    flag: "UPE",
    title: "The app did not answer with HTTP",
    what: `The ${service} sent something that is not a valid HTTP/1.1 response${reason ? `: ${reason}` : ""}.`,
    next: "Check that the port in PORT is the one that speaks plain HTTP, without TLS.",
  }),
  connect_timeout: ({ service }) => ({
    status: 504,
    flag: "UF",
    title: "The app did not take the connection in time",
    what: `The ${service} did not accept a connection within the time allowed: it is probably overloaded.`,
    next: "Try again in a moment. `starform status` shows its load; more instances (`starform scale`) share it.",
    retryAfterS: 5,
  }),
  response_timeout: ({ service, reason }) => ({
    status: 504,
    flag: "UT",
    title: "The app did not answer in time",
    what: `The ${service} took the request and sent no answer${reason ? ` within ${reason}` : ""}.`,
    next: "`starform logs` shows what it was doing. Work that takes longer belongs into a worker, or the service's request timeout must be raised.",
  }),
  overloaded: ({ service }) => ({
    status: 503,
    flag: "UO",
    title: "Too many requests wait for this app",
    what: `The ${service} has more requests open than the gateway keeps for one instance.`,
    next: "Try again in a moment. More instances (`starform scale`) share the load.",
    retryAfterS: 2,
  }),
  request_timeout: () => ({
    status: 408,
    flag: "DT",
    title: "The request came too slowly",
    what: "The request was not complete within the time allowed.",
    next: "Send it again; if it happens often, look at the network between you and this address.",
  }),
  malformed: ({ reason }) => ({
    status: 400,
    flag: "DPE",
    title: "The request is not valid HTTP",
    what: `The request was refused before any app saw it: ${reason ?? "it could not be read"}.`,
    next: "Correct the program that sent it: what two readers could understand differently is never passed on.",
  }),
} satisfies Record<string, (subject: Subject) => Outcome>;

export type OutcomeName = keyof typeof outcomes;
