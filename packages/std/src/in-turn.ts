/** Runs one piece of work at a time, in the order in which they came; one that fails holds up no other. */
export function inTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let turn: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = turn.then(work, work);
    turn = next.catch(() => undefined);
    return next;
  };
}
