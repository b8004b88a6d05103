import type { SourceTree } from "../../source-tree.ts";
import { pythonDependencies } from "./python-dependencies.ts";

interface Need {
  readonly build?: string[];
  readonly runtime?: string[];
}

/** Debian packages that distributions from PyPI need and do not bring. */
const needs: Record<string, Need> = {
  pycairo: { build: ["libcairo2-dev"], runtime: ["libcairo2"] },
  pdf2image: { runtime: ["poppler-utils"] },
  pydub: { runtime: ["ffmpeg"] },
  pymovie: {
    runtime: [
      "ffmpeg",
      "qt5-qmake",
      "qtbase5-dev",
      "qtbase5-dev-tools",
      "qttools5-dev-tools",
      "libqt5core5a",
      "python3-pyqt5",
    ],
  },
  mysqlclient: { build: ["default-libmysqlclient-dev"], runtime: ["default-mysql-client"] },
  psycopg2: { build: ["libpq-dev"], runtime: ["libpq5"] },
  psycopg: { build: ["libpq-dev"], runtime: ["libpq5"] },
};

/** What the system must hold to build and to run a Python source, with the reasons. */
export function systemPackages(tree: SourceTree): { build: string[]; runtime: string[]; reasons: string[] } {
  const dependencies = pythonDependencies(tree);
  const bringsPostgres = dependencies.has("psycopg2-binary") || dependencies.hasExtra("psycopg", "binary");
  const wanted = Object.keys(needs).filter(
    (name) => dependencies.has(name) && !(bringsPostgres && name.startsWith("psycopg")),
  );
  const database =
    bringsPostgres || wanted.some((name) => name.startsWith("psycopg")) ? undefined : djangoDatabase(tree);
  if (database) wanted.push(database);
  return {
    build: wanted.flatMap((name) => needs[name]?.build ?? []),
    runtime: wanted.flatMap((name) => needs[name]?.runtime ?? []),
    reasons: wanted.map((name) => `${name} needs it`),
  };
}

function djangoDatabase(tree: SourceTree): "psycopg2" | "mysqlclient" | undefined {
  if (!tree.hasFile("manage.py")) return undefined;
  for (const file of tree.files
    .filter((name) => /settings[^/]*\.py$|settings\/\w+\.py$/.test(name))
    .slice(0, 20)) {
    const text = tree.readStart(file, 65_536) ?? "";
    if (text.includes("django.db.backends.postgresql")) return "psycopg2";
    if (text.includes("django.db.backends.mysql")) return "mysqlclient";
  }
  return undefined;
}
