import { BuilderLost } from "./builder-lost.ts";

type Reason = { readonly why: string; readonly next: string };

const noWay: Reason = {
  why: "there is no way to that host from here",
  next: "Correct the address, or the route to it",
};
const noTls: Reason = {
  why: "it does not speak TLS there",
  next: "Use its port with TLS, or reach it without certificates",
};

/** By the code that Node gives a connection that was not made. */
const reasons: Readonly<Record<string, Reason>> = {
  ENOENT: { why: "there is no such socket", next: "Start it, or correct the path" },
  ECONNREFUSED: { why: "nothing listens there", next: "Start it, or correct the address" },
  EACCES: {
    why: "this user may not open its socket",
    next: "Add the user to the group of the socket, or run as another",
  },
  ENOTFOUND: { why: "no name server knows that host", next: "Correct the address" },
  EHOSTUNREACH: noWay,
  ENETUNREACH: noWay,
  ETIMEDOUT: { why: "it did not answer", next: "Correct the address, or open the firewall between" },
  EPROTO: noTls,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  CERT_HAS_EXPIRED: { why: "its certificate has expired", next: "Renew the builder's certificate" },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    why: "its certificate is of another name than the one asked for",
    next: "Correct the server's name, or give the builder a certificate with that name",
  },
};
const untrusted: Reason = {
  why: "its certificate is not signed by the authority that was given for it",
  next: "Give the certificate of the authority that signed it",
};

/** What is told of a builder that was not reached: what happened, why, and what to do. */
export function unreachable(name: string, cause: NodeJS.ErrnoException): BuilderLost {
  const { code = "", message } = cause;
  const isUntrusted = /^(UNABLE_TO_|SELF_SIGNED|DEPTH_ZERO|CERT_SIGNATURE)/.test(code);
  const reason = isUntrusted ? untrusted : reasons[code];
  // OpenSSL's own words stand between the places where it says them.
  const [first = ""] = /:error:\w+:[^:]*:[^:]*:([^:]+)/.exec(message)?.slice(1) ?? message.split("\n", 1);
  const why = reason ? `${reason.why} (${first})` : first;
  const next = reason?.next ?? "See whether it runs, and whether the address is right";
  return new BuilderLost(`cannot reach ${name}: ${why}. ${next}.`, { cause });
}
