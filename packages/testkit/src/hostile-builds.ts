/** A source whose build does one bad thing. */
export type HostileBuild = {
  readonly name: string;
  readonly does: string;
  readonly files: Readonly<Record<string, string>>;
  /** The reason it fails with by itself; undefined for one that goes on until somebody stops it. */
  readonly reason?: RegExp;
  /** A line of its log that says it has begun. */
  readonly begun: string;
};

const app = (commands: string): HostileBuild["files"] => ({
  "start.sh": "sleep 1",
  "starform.json": JSON.stringify({ buildCommand: "sh hostile.sh" }),
  "hostile.sh": `echo begun\n${commands}\n`,
});

/** Asks addresses that are the platform's own, and says what answered. */
const reach = (ports: readonly number[]): string => `
const { networkInterfaces } = require("node:os");
const { connect } = require("node:net");
const { readFileSync } = require("node:fs");
const hex = readFileSync("/proc/net/route", "utf8").split("\\n").map((l) => l.split("\\t")).find((l) => l[1] === "00000000")?.[2] ?? "";
const gateway = (hex.match(/../g) ?? []).reverse().map((b) => parseInt(b, 16)).join(".");
const own = Object.values(networkInterfaces()).flat().map(({ address }) => address);
const hosts = [...new Set(["127.0.0.1", gateway, ...own].filter((host) => /^[0-9.]+$/.test(host)))];
const targets = [...hosts.flatMap((host) => ${JSON.stringify(ports)}.map((port) => [host, port])), ["169.254.169.254", 80]];
const ask = ([host, port]) => new Promise((resolve) => {
  const socket = connect({ host, port, timeout: 3000 });
  socket.on("connect", () => (socket.destroy(), resolve(host + ":" + port)));
  for (const end of ["error", "timeout"]) socket.on(end, () => (socket.destroy(), resolve("")));
});
Promise.all(targets.map(ask)).then((all) => {
  const reached = all.filter(Boolean);
  console.log("asked " + targets.length + " addresses, reached " + (reached.join(" ") || "nothing"));
  process.exit(3);
});
`;

/** One build for each way of harming others. `ports` are the platform's own. */
export const hostileBuilds = (ports: readonly number[]): readonly HostileBuild[] => [
  {
    name: "spin",
    does: "takes every processor",
    files: app("for i in 1 2 3 4 5 6 7 8; do while :; do :; done & done; wait"),
    begun: "begun",
  },
  {
    name: "eat",
    does: "eats memory without end",
    files: app(`node -e 'const all = []; for (;;) all.push(Buffer.alloc(16 << 20, 1))'`),
    begun: "begun",
    reason: /ran out of memory: a build may use \d/,
  },
  {
    name: "fork",
    does: "forks without end",
    files: app("f() { f | f & }; f; sleep 3600"),
    begun: "begun",
    reason: /more than [\d,]+ processes/,
  },
  {
    name: "fill",
    does: "fills the disk",
    files: app(
      'i=0; while [ "$i" -lt 50 ]; do head -c 20000000 /dev/zero > /tmp/fill$i; i=$((i+1)); done; sleep 3600',
    ),
    begun: "begun",
  },
  {
    name: "flood",
    does: "prints without end",
    files: {
      ...app("node flood.js"),
      "flood.js": `const lines = ("x".repeat(200) + "\\n").repeat(300);
const more = () => { while (process.stdout.write(lines)); process.stdout.once("drain", more); };
more();
`,
    },
    begun: "begun",
  },
  { name: "hang", does: "hangs", files: app("sleep 3600"), begun: "begun" },
  {
    name: "reach",
    does: "reaches for the platform's own addresses",
    files: { ...app("node reach.js"), "reach.js": reach(ports) },
    begun: "begun",
    reason: /asked [1-9]\d* addresses, reached nothing/,
  },
];
