import { innerStart } from "./providers/python/python-inner-mains.ts";
import type { SourceTree } from "./source-tree.ts";

/** The smallest file that would turn this source into an app, guessed from what lies at its root. */
export function suggestFile(tree: SourceTree): string {
  if (tree.files.length === 0)
    return "The folder is empty: add your app, or an index.html to publish a page.";
  const atRoot = tree.files.filter((file) => !/\/|^\.|\.config\.\w+$/.test(file));
  for (const [ending, suggest] of suggestions) {
    const file = atRoot.find((name) => ending.test(name));
    if (file) return suggest(file);
  }
  const inner = innerStart(tree);
  if (inner)
    return `To start ${inner.file} from the root, add a requirements.txt there (it may be empty), and give the start command \`${inner.command}\`.`;
  const page = tree.files.find((file) => file.endsWith("/index.html"));
  if (page)
    return `Set the root directory to ${page.slice(0, -"/index.html".length)}, where there is an index.html.`;
  return "Add a start.sh that starts the app, a Procfile with `web: <command>`, or a Dockerfile.";
}

const suggestions: readonly [RegExp, (file: string) => string][] = [
  [/\.[cm]?[jt]s$/, (file) => `Add a package.json: {"scripts": {"start": "node ${file}"}}.`],
  [/\.py$/, (file) => `Rename ${file} to main.py, or add a Procfile: web: python3 ${file}.`],
  [/\.go$/, () => "Run `go mod init app` and commit go.mod."],
  [/\.rb$/, () => "Run `bundle init` and commit the Gemfile."],
  [/\.html?$/, (file) => `Rename ${file} to index.html.`],
  [/\.sh$/, (file) => `Rename ${file} to start.sh.`],
  [/\.rs$/, () => "Run `cargo init` and commit Cargo.toml."],
  [/\.php$/, (file) => `Rename ${file} to index.php.`],
  [/\.jar$/, (file) => `Add a Procfile: web: java -jar ${file}.`],
];
