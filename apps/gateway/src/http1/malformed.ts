/** A message that is not HTTP as we accept it. The status is what a client is told; the sentence says what was wrong. */
export class Malformed extends Error {
  override readonly name = "Malformed";
  readonly status: 400 | 431 | 501 | 505;

  constructor(message: string, status: 400 | 431 | 501 | 505 = 400) {
    super(message);
    this.status = status;
  }
}
