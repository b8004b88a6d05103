type Layer = {
  readonly step?: string;
  readonly image?: string;
  readonly local?: boolean;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
};
type Command = { readonly cmd?: string; readonly customName?: string };
type Step = {
  readonly name: string;
  readonly commands?: readonly Command[];
  readonly secrets?: readonly string[];
};

/** As much of a plan in Railpack's format as is compared; a recorded one leaves out what is empty. */
export type ComparedPlan = {
  readonly steps: readonly Step[];
  readonly deploy: { readonly startCommand?: string; readonly inputs?: readonly Layer[] };
};

/** What a plan does, a line each and in its order: tools, packages, steps with their commands and secrets, what the image gets, the start. */
export const planFacts = ({ steps, deploy }: ComparedPlan): readonly string[] => [
  ...steps.flatMap(stepFacts).toSorted(byStep),
  ...(deploy.inputs ?? []).map(layerFact),
  `start: ${deploy.startCommand ?? "nothing"}`,
];

/** Plans name their steps in any order; the lines of one stay together and in theirs. */
const byStep = (a: string, b: string): number => {
  const [first, second] = [a.split(":")[0]!, b.split(":")[0]!];
  return first < second ? -1 : Number(first > second);
};

function stepFacts({ name, commands = [], secrets = [] }: Step): readonly string[] {
  const run = commands.flatMap(({ cmd }) => (cmd === undefined ? [] : [unwrapped(cmd)]));
  const step = name.replaceAll(":", " ");
  if (/^packages (mise|apt)/.test(step))
    return commands.flatMap(({ customName = "" }) => {
      const [, names] = /^install (?:mise|apt) packages: (.*)$/.exec(customName) ?? [];
      return names === undefined ? [] : names.split(/,? /).map((one) => `${step}: ${one}`);
    });
  return [
    `${step}: is a step`,
    ...secrets.map((secret) => `${step}: may read ${secret}`),
    ...run.map((cmd) => `${step}: ${cmd}`),
  ];
}

const unwrapped = (cmd: string): string =>
  (/^sh -c '(.*)'$/s.exec(cmd)?.[1] ?? cmd).replaceAll(String.raw`'\''`, "'");

function layerFact({ step, image, include, exclude }: Layer): string {
  const from = step?.replaceAll(":", " ") ?? image ?? "the source";
  return `image: ${include?.join(" ") ?? "all"} of ${from}${exclude ? ` but ${exclude.join(" ")}` : ""}`;
}
