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
  // The kernel calls a script by its file: `start.sh`, and says whose it is in the first word, `/bin/bash`.
  const called = [name, baseOf(words[0] ?? "")];
  const isCalled = (globs: readonly string[]): boolean => called.some((each) => isOneOf(globs, each));
  if (isCalled(packageManagers)) return true;
  if (isCalled(shells)) return !mindsTerm;
  const given = words.slice(1).find((word) => !word.startsWith("-") && word !== "run") ?? "";
  if (isCalled(nodes)) return isOneOf(packageManagerFiles, baseOf(given));
  return isCalled(buns) && /^[^./]+$/.test(given);
}

const baseOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
const isOneOf = (globs: readonly string[], name: string): boolean =>
  globs.some((glob) => (glob.includes("*") ? matches(glob, name) : glob === name));

function matches(glob: string, name: string): boolean {
  const [start = "", end = ""] = glob.split("*");
  return name.length >= start.length + end.length && name.startsWith(start) && name.endsWith(end);
}

const either = (globs: readonly string[]): string =>
  globs.map((glob) => glob.replaceAll(" ", "\\ ")).join("|");

/** What a shell waits for that does no work: to end it only begins what comes after. */
export const idler = "sleep";

/**
 * The same as a script for inside of a container, for any POSIX shell with `sleep` and `tr`; it writes nothing. Where
 * nobody stands between it is over at once, and the engine's own SIGTERM is right; else it sends one past them, and is
 * over when the app has ended and they have had their moment. What they have begun meanwhile is told as well, once they
 * are held still, and then they are. It looks only at processes of its own user, unless that is root.
 */
export const passOnSigtermScript = `PATH=$PATH:/usr/bin:/bin
stands_between() {
  eval "name=\\$name_$1 minds=\\$minds_$1"
  set -- $(tr '\\0' ' ' <"/proc/$1/cmdline")
  file=\${1-} kind=
  for called in "$name" "\${file##*/}"; do
    case $called in
      ${either(packageManagers)}) return 0 ;;
      ${either(shells)}) [ -z "$minds" ]; return ;;
      ${either(nodes)}) kind=node ;;
      ${either(buns)}) kind=bun ;;
    esac
  done
  [ -n "$kind" ] || return 1
  [ $# -gt 0 ] && shift
  while case \${1-} in -*|run) ;; *) false ;; esac; do shift; done
  case $kind in
    node) case \${1##*/} in ${either(packageManagerFiles)}) return 0 ;; esac ;;
    bun) case \${1-} in ''|*[./]*) ;; *) return 0 ;; esac ;;
  esac
  return 1
}
find_app() {
  for one; do
    eval "below=\\\${below_$one-}"
    if [ -n "$below" ] && stands_between "$one"; then between="$between $one"; find_app $below
    else
      app="$app $one"
      eval "[ \\"\\$name_$one\\" = ${idler} ]" || idles=
    fi
  done
}
look() {
  set +f
  mine= first= app= between= idles=1
  while read -r key value; do [ "$key" = Uid: ] && mine=\${value%%[!0-9]*}; done <"/proc/$$/status"
  for dir in /proc/[0-9]*; do
    pid=\${dir#/proc/} name= state=Z minds= uid=
    [ "$pid" = $$ ] && continue
    while read -r key value; do
      case $key in
        Name:) name=$value ;;
        State:) state=$value ;;
        PPid:) parent=$value ;;
        Uid:) uid=\${value%%[!0-9]*} ;;
        SigIgn:|SigCgt:) case $value in *[4-7c-f]???) minds=1 ;; esac ;;
      esac
    done 2>/dev/null <"$dir/status"
    case $state in [ZX]*) continue ;; esac
    [ "$parent" = $$ ] && continue
    [ "$mine" = 0 ] || [ "$uid" = "$mine" ] || continue
    eval "name_$pid=\\$name minds_$pid=\\$minds below_$parent=\\"\\\${below_$parent-} $pid\\""
    case $name in ${either(inits)}) continue ;; esac
    if [ -z "$first" ] || [ "$pid" -lt "$first" ]; then first=$pid; fi
  done
  set -f
  [ -n "$first" ] && find_app "$first"
  echo "\${idles:-0}:$first:$app:$between"
}
read_look() {
  seen=$(look)
  idles=\${seen%%:*} seen=\${seen#*:}
  first=\${seen%%:*} seen=\${seen#*:}
  app=\${seen%%:*} between=\${seen#*:}
}
any_runs() {
  for one; do
    state=Z
    while read -r key value; do [ "$key" = State: ] && state=$value; done 2>/dev/null <"/proc/$one/status"
    case $state in [ZX]*) ;; *) kill -0 "$one" 2>/dev/null && return ;; esac
  done
  return 1
}
nap() { sleep 0.1 2>/dev/null || sleep 1; }
tell() {
  kill -TERM $app 2>/dev/null
  kill -CONT $app 2>/dev/null
  while any_runs $app; do nap; done
}
read_look
[ -n "$first" ] && [ -n "$between" ] || exit 0
if [ "$idles" = 0 ]; then
  tell
  naps=${momentMs / 100}
  while [ -e "/proc/$first" ] && [ $naps -gt 0 ]; do nap; naps=$((naps - 1)); done
  [ -e "/proc/$first" ] || exit 0
  read_look
fi
[ -n "$between" ] || exit 0
kill -STOP $between 2>/dev/null
read_look
[ -n "$app" ] || exit 0
tell
kill -TERM $between 2>/dev/null
kill -CONT $between 2>/dev/null
exit 0`;
