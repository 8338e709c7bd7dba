/** What ends the process, with the exit code that it ends with. */
export class Fatal extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = 'Error';
    this.exitCode = exitCode;
  }
}
