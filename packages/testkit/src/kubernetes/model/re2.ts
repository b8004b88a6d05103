const known = new Map<string, RegExp>();

/** A regular expression as Go understands it: a flag such as `(?i)` may stand inside, where JavaScript wants it outside. */
export function re2(pattern: string): RegExp {
  const found = known.get(pattern);
  if (found) return found;
  const isBlind = /\(\?i\)/.test(pattern);
  const expression = new RegExp(pattern.replaceAll(/\(\?[ims]+\)/g, ""), isBlind ? "i" : "");
  known.set(pattern, expression);
  return expression;
}
