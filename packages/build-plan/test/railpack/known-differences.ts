/**
 * Lines of a plan that Railpack and this planner write differently, and why that is right here. `of` are the examples;
 * `there` and `here` are the lines that only the one has. The test holds each pattern to be in use.
 */
export type KnownDifference = {
  readonly why: string;
  readonly of: RegExp;
  readonly there?: RegExp;
  readonly here?: RegExp;
};

export const knownDifferences: readonly KnownDifference[] = [
  {
    why: "static sites are served by a Node script in the plan, so that no Caddy has to be fetched (ADR 3)",
    of: /^(expo-spa|staticfile-.*|node-(angular|astro|cra|next-spa|spa-staticfile|vite-.*))$/,
    there:
      /^(packages caddy|caddy): |caddy fmt|^image: .* of (packages )?caddy$|^image: [\w/-]+ of build$|^start: caddy /,
    here: /^packages mise: node$|^image: .* of packages mise$|^image: [\w/-]+ \.starform of build$|^start: node \.starform\/serve\.mjs /,
  },
  {
    why: "the folder of a cache is made by who mounts it",
    of: /^(node-|bun-|config-file|expo|mise-config|npm-|pnpm-|php-laravel|ruby-with-node|tanstack|dotnet-)/,
    there: /^install( node)?: mkdir -p \/(app\/node_modules\/\.cache|root\/\.nuget\/packages)$/,
  },
  {
    why: "npm ci where the lock file fits package.json: the same versions every time",
    of: /^(node-|php-laravel|ruby-with-node|tanstack)/,
    there: /^install( node)?: npm install$/,
    here: /^install( node)?: npm ci$/,
  },
  {
    why: "Yarn of version 2 and later refuses a lock file that does not fit, as --frozen-lockfile does for the others",
    of: /^node-yarn-/,
    there: /^install: yarn install --check-cache$/,
    here: /^install: yarn install --immutable --check-cache$/,
  },
  {
    why: "a frozen lock file is asked for only where there is one",
    of: /^node-bun-no-deps$/,
    there: /^install: bun install --frozen-lockfile$/,
    here: /^install: bun install$/,
  },
  {
    why: "scripts that npm runs by itself after an install (nuxt prepare, svelte-kit sync) run app code, which may need variables of any name",
    of: /^node-(nuxt|svelte-kit)$/,
    here: /^install: may read \*$/,
  },
  {
    why: "only Node 25 and later needs libatomic; without it the image needs no step of apt",
    of: /^(bun-pnpm|expo-spa|mise-config|node-|npm-|php-laravel|ruby-(execjs|with-node)|tanstack)/,
    there: /^packages apt runtime: libatomic1$/,
  },
  {
    why: "the packages canvas and Prisma's engine load at run time, which Railpack's image lacks",
    of: /^node-(.*-native-deps|prisma)$/,
    here: /^packages apt runtime: /,
  },
  {
    why: "the libraries that Chrome names today; Railpack's list has some that only other packages of it need",
    of: /^node-puppeteer$/,
    there:
      /^packages apt runtime: (libc6|libgcc1|libgdk-pixbuf-2\.0-0|libpangocairo-1\.0-0|libstdc\+\+6|libxrender1|lsb-release)$/,
    here: /^packages apt runtime: (libatk-bridge2\.0-0|libatspi2\.0-0|libdrm2|libxkbcommon0)$/,
  },
  {
    why: "nothing of the build's home reaches the image but what is run from there: browsers, Corepack's package managers",
    of: /./,
    there: /^image: \/root\/\.cache \. .*of build but node_modules \.yarn$/,
    here: /^image: (\. of build but node_modules \.yarn|\/opt\/corepack \/mise\/installs \/mise\/shims of build|\/root\/\.cache of build)$/,
  },
  {
    why: "where no step prunes, the app's folder goes into the image as a whole",
    of: /^(node-|npm-|pnpm-)/,
    there: /^image: \/app\/node_modules of build$/,
    here: /^image: \. of build$/,
  },
  {
    why: "Yarn's cache is kept in the app (YARN_ENABLE_GLOBAL_CACHE=false), so that it reaches the image, or in its own folder",
    of: /^node-yarn-/,
    there: /^image: \/app\/\.yarn \/root\/\.yarn.* of build$/,
    here: /^image: \/app\/(\.yarn|node_modules) of build$/,
  },
  {
    why: "no script of the app makes Prisma's client, and a build without it compiles against nothing",
    of: /^node-prisma$/,
    here: /^build: npx prisma generate$/,
  },
  {
    why: "by the package manager, which finds the workspace's own nx wherever PATH leads",
    of: /^node-nx-next$/,
    there: /^build: nx build /,
    here: /^build: pnpm exec nx build /,
  },
  {
    why: "python3 is on every machine, and paths are the app's own: also right where the plan runs outside of a container",
    of: /^python-/,
    there: /^(start: python |install: python -m venv \/app\/\.venv$|image: all of build$)/,
    here: /^(start: python3 |install: python3 -m venv \.venv$)/,
  },
  {
    why: "relative to the app, with optimisation, and in a folder that an incremental build finds again",
    of: /^cpp-/,
    there:
      /^(build: (mkdir \/build|cmake -|cmake --build \/build|meson )|image: \/build\/ of build$|start: \/build\/)/,
    here: /^(build: (cmake -B build|cmake --build build|meson )|image: \. of build$|start: \.\/build\/)/,
  },
  {
    why: "what is compiled with g++ and Erlang links to these, and a slim image has them not",
    of: /^(cpp|elixir)-/,
    here: /^packages apt runtime: (libstdc\+\+6|libncurses6|openssl)$/,
  },
  {
    why: "paths of the app's own, and a release that may lie there from the build before",
    of: /^elixir-/,
    there: /^(build: mix release|start: \/app\/_build\/.*)$/,
    here: /^(build: mix release --overwrite|start: \.\/_build\/.*)$/,
  },
  {
    why: "the project is named, so that a second one beside it does not stop the build",
    of: /^dotnet-/,
    there: /^(install: dotnet restore|build: dotnet publish --no-restore -c Release -o out)$/,
    here: /^(install: dotnet restore \S+\.csproj|build: dotnet publish \S+\.csproj --no-restore -c Release -o out)$/,
  },
  {
    why: "the same folder without a dot at its end",
    of: /^(gleam|java-)/,
    there: /^image: (build\/erlang-shipment|target)\/\. of build$/,
    here: /^image: (build\/erlang-shipment|target) of build$/,
  },
  {
    why: "one archive is started, also where the build leaves several (sources, javadoc), and the wrapper need not be executable",
    of: /^java-/,
    there: /^start: java /,
    here: /^(start: java |build: chmod \+x gradlew$)/,
  },
  {
    why: "development packages stay out of the image, and the autoloader is made anew when the code is there",
    of: /^php-/,
    there: /^install composer: composer install --optimize/,
    here: /^(install composer: composer install --no-dev --optimize|build: composer dump-autoload )/,
  },
  {
    why: "one command, and no braces, which a plain sh does not know",
    of: /^php-/,
    there: /^(prepare: mkdir -p \S+|build: mkdir -p storage\/framework\/\{.*)$/,
    here: /^(prepare: mkdir -p \S+ \S+|build: mkdir -p storage\/framework\/sessions .*)$/,
  },
  {
    why: "the image is PHP's with the app in it, where Railpack runs the app on the build itself",
    of: /^php-vanilla/,
    here: /^image: \. of build$/,
  },
  {
    why: "config:cache would write the variables of the build into the image, secrets among them",
    of: /^php-laravel/,
    there: /^build: php artisan config:cache$/,
  },
  {
    why: "the app's folder by its relative name; lib/ is in it already",
    of: /^ruby-/,
    there: /^image: \/app( lib\/)? of build$/,
    here: /^image: \. of build$/,
  },
  {
    why: "assets are built before Ruby's step, which has them, so the image takes the app from that one alone",
    of: /^ruby-with-node$/,
    there: /^image: \. of build node but node_modules \.yarn$/,
    here: /^image: \. of build but node_modules \.yarn$/,
  },
  {
    why: "gems are compiled against what they run with; mini_magick calls the program",
    of: /^ruby-rails-postgres$/,
    there: /^packages apt runtime: libmagickwand-dev$/,
    here: /^packages apt (build|runtime): (default-libmysqlclient-dev|imagemagick|lib(icu|pq|vips|xml2|xslt)-dev)$/,
  },
  {
    why: '"latest" and no version at all are Ruby 3.4 here, whose own compiler is written in Rust',
    of: /^ruby-latest$/,
    here: /^packages apt build: (cargo|rustc)$/,
  },
  {
    why: "crates are kept by caches of Cargo's folders and of target; a first build of an empty program is not needed for that",
    of: /^rust-/,
    there: /^install: /,
  },
  {
    why: "where nothing is known but how to start, the source itself runs",
    of: /^secrets$/,
    here: /^(build: (is a step|may read \*)|image: \. of build)$/,
  },
  {
    why: "Django is served by gunicorn, which not every project lists: without it the app would end as it starts",
    of: /^python-django$/,
    here: /^build: uv pip install gunicorn$/,
  },
  {
    why: "a migration at the start has nobody to answer its questions",
    of: /^python-django$/,
    there: /^start: python manage\.py migrate && /,
    here: /^start: python3 manage\.py migrate --noinput && /,
  },
];
