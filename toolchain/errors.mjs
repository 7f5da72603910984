/** A fault that the user can mend: printed as it is, without a stack. */
export class ToolchainError extends Error {
  name = 'ToolchainError';
}

/** Runs a command's main function and turns its faults into one clear message and exit code 1. */
export async function run(main) {
  try {
    await main();
  } catch (error) {
    console.error(error instanceof ToolchainError ? `\n${error.message}\n` : error);
    process.exitCode = 1;
  }
}
