/**
 * The builder cannot be reached, or went away in the middle. What was built is not at fault: trying again may help, and
 * nothing of the lost build counts.
 */
export class BuilderLost extends Error {
  override readonly name = "BuilderLost";
}
