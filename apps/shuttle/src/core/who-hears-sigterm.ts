/**
 * Between the platform and an app often stand a package manager and shells: they would end themselves on SIGTERM, and
 * the app with them, before it has finished its work. So SIGTERM goes past them to the first processes that are the
 * app's own, never to those below: what the app started is the app's to end. See docs/adr/0027-who-hears-sigterm.md.
 */

const shells = ["sh", "bash", "dash", "ash", "busybox", "zsh", "ksh"];
/** By the names they give themselves: npm is called after what it runs, `npm run start`. */
const packageManagers = ["npm", "npm *", "pnpm"];
/** By the file that Node runs. */
const packageManagerFiles =
  "npm npx npm-cli.js npx-cli.js yarn yarn.js yarnpkg yarn-*.cjs pnpm pnpm.cjs pnpm.mjs pnpx corepack corepack.js".split(
    " ",
  );
const nodes = ["node", "MainThread"];
const buns = ["bun", "bunx"];
/** The first processes of containers, which are nobody's app. */
const inits = ["docker-init", "tini", "dumb-init", "catatonit", "pause"];

/** How long those that only waited have to end by themselves once the app has ended. */
export const momentMs = 1_000;

export type RunningProcess = {
  readonly name: string;
  /** Program and arguments. */
  readonly words: readonly string[];
  /** It has a handler for SIGTERM, or ignores it. */
  readonly mindsTerm: boolean;
};

/** Whether a process that has others below it only waits for them. */
export function onlyWaits({ name, words, mindsTerm }: RunningProcess): boolean {
  if (isOneOf(shells, name)) return !mindsTerm;
  if (isOneOf(packageManagers, name)) return true;
  const given = words.slice(1).find((word) => !word.startsWith("-") && word !== "run") ?? "";
  if (isOneOf(nodes, name)) return isOneOf(packageManagerFiles, given.slice(given.lastIndexOf("/") + 1));
  return isOneOf(buns, name) && /^[^./]+$/.test(given);
}

const isOneOf = (globs: readonly string[], name: string): boolean =>
  globs.some((glob) => (glob.includes("*") ? matches(glob, name) : glob === name));

function matches(glob: string, name: string): boolean {
  const [start = "", end = ""] = glob.split("*");
  return name.length >= start.length + end.length && name.startsWith(start) && name.endsWith(end);
}

const either = (globs: readonly string[]): string =>
  globs.map((glob) => glob.replaceAll(" ", "\\ ")).join("|");

/**
 * The same as a script for inside of a container, for any POSIX shell with `sleep` and `tr`; it writes nothing. Where
 * nobody stands between it is over at once, and the engine's own SIGTERM is right; else it sends one past them, and is
 * over when the app has ended and they have had their moment: whatever still runs then may be told by the engine.
 */
export const passOnSigtermScript = `stands_between() {
  eval "name=\\$name_$1 minds=\\$minds_$1"
  case $name in
    ${either(shells)}) [ -z "$minds" ]; return ;;
    ${either(packageManagers)}) return 0 ;;
    ${either([...nodes, ...buns])}) ;;
    *) return 1 ;;
  esac
  set -- $(tr '\\0' ' ' <"/proc/$1/cmdline")
  [ $# -gt 0 ] && shift
  while case \${1-} in -*|run) ;; *) false ;; esac; do shift; done
  case $name in
    ${either(nodes)}) case \${1##*/} in ${either(packageManagerFiles)}) return 0 ;; esac ;;
    *) case \${1-} in ''|*[./]*) ;; *) return 0 ;; esac ;;
  esac
  return 1
}
find_app() {
  for one; do
    eval "below=\\\${below_$one-}"
    if [ -n "$below" ] && stands_between "$one"; then find_app $below; else app="$app $one"; fi
  done
}
any_runs() {
  for one; do [ -e "/proc/$one" ] && return; done
  return 1
}
nap() { sleep 0.1 2>/dev/null || sleep 1; }
first= app=
for dir in /proc/[0-9]*; do
  pid=\${dir#/proc/} name= state=Z minds=
  [ "$pid" = $$ ] && continue
  while read -r key value; do
    case $key in
      Name:) name=$value ;;
      State:) state=$value ;;
      PPid:) parent=$value ;;
      SigIgn:|SigCgt:) case $value in *[4-7c-f]???) minds=1 ;; esac ;;
    esac
  done 2>/dev/null <"$dir/status"
  case $state in [ZX]*) continue ;; esac
  eval "name_$pid=\\$name minds_$pid=\\$minds below_$parent=\\"\\\${below_$parent-} $pid\\""
  case $name in ${either(inits)}) continue ;; esac
  if [ -z "$first" ] || [ "$pid" -lt "$first" ]; then first=$pid; fi
done
set -f
[ -n "$first" ] || exit 0
find_app "$first"
[ "$app" = " $first" ] && exit 0
kill -TERM $app 2>/dev/null
while any_runs $app; do nap; done
naps=${momentMs / 100}
while [ -e "/proc/$first" ] && [ $naps -gt 0 ]; do nap; naps=$((naps - 1)); done
exit 0`;
