/** A fault that the user can mend: printed as it is, without a stack. */
export class ToolchainError extends Error {
  name = 'ToolchainError';
}

/** This process was asked to stop while it waited for a program. */
export class Interrupted extends Error {
  constructor(signal) {
    super(`stopped by ${signal}`);
    this.exitCode = signal === 'SIGINT' ? 130 : 143;
  }
}

/** Runs a command's main function; a fault becomes one clear message and exit code 1. */
export async function run(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof Interrupted)) {
      console.error(error instanceof ToolchainError ? `\n${error.message}\n` : error);
    }
    process.exitCode = error.exitCode ?? 1;
  }
}
