/** Something the user can act on: what happened, and what to do. Shown without a stack trace. */
export class SetupProblem extends Error {
  /**
   * @param {string} message what happened
   * @param {string} next what to do
   */
  constructor(message, next, options) {
    super(message, options);
    this.next = next;
  }
}
