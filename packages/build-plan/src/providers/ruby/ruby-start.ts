import type { SourceTree } from "../../source-tree.ts";

export const isRails = (tree: SourceTree): boolean =>
  (tree.read("config/application.rb") ?? "").includes("Rails::Application");

const address = "-b 0.0.0.0 -p ${PORT:-3000}";

/** How a Ruby source starts; undefined when nothing in it says. */
export function rubyStart(tree: SourceTree): { command: string; reason: string } | undefined {
  if (isRails(tree))
    return {
      command: `bundle exec ${tree.hasFile("bin/rails") ? "bin/rails" : "rails"} server ${address} -e \${RAILS_ENV:-production}`,
      reason: "this is a Rails app",
    };
  if (tree.hasFile("config/environment.rb") && tree.hasFile("script/server"))
    return { command: `bundle exec ruby script/server ${address}`, reason: "there is a script/server" };
  if (tree.hasFile("config.ru"))
    return {
      command: "bundle exec rackup config.ru -o 0.0.0.0 -p ${PORT:-3000}",
      reason: "there is a config.ru",
    };
  if (tree.hasFile("Rakefile")) return { command: "bundle exec rake", reason: "there is a Rakefile" };
  const main = tree.firstFile("main.rb", "app.rb", "server.rb");
  return main === undefined
    ? undefined
    : { command: `bundle exec ruby ${main}`, reason: `there is a ${main}` };
}
