/** The command line of a QEMU that the kernel itself ends with this process, however that ends. */
export function untilWeEnd(args: readonly string[]): [program: string, args: string[]] {
  return ['setpriv', ['--pdeathsig', 'KILL', '--', 'qemu-system-x86_64', ...args]];
}
