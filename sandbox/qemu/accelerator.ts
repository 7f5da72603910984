import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import type { ImageFiles } from '../image';
import { untilWeEnd } from './hypervisor-process';

/** How guests run: on the processor itself, or translated by QEMU. */
export type Accelerator = 'kvm' | 'tcg';

/** A kernel that runs says so within a second or two; one that hangs never does. */
const PATIENCE_MS = 6_000;

/** KVM where a guest's kernel really starts with it: machines have the device and yet cannot run a guest. */
export async function chooseAccelerator(image: ImageFiles): Promise<Accelerator> {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
  } catch {
    return 'tcg';
  }
  return (await kernelStarts(image)) ? 'kvm' : 'tcg';
}

async function kernelStarts({ kernel, initrd }: ImageFiles): Promise<boolean> {
  const child = spawn(
    ...untilWeEnd([
      ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
      ...['-accel', 'kvm', '-cpu', 'host', '-m', '512', '-serial', 'stdio'],
      ...['-kernel', kernel, '-initrd', initrd],
      ...['-append', 'console=ttyS0 edd=off panic=-1 rdinit=/none root=/dev/none'],
    ]),
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  return new Promise((resolve) => {
    let said = '';
    const decide = (starts: boolean): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      resolve(starts);
    };
    const timer = setTimeout(decide, PATIENCE_MS, false);
    child.once('error', () => decide(false));
    child.once('exit', () => decide(false));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      // Later than its first line: some processors start a kernel and then refuse it an instruction.
      if (said.includes('Run /') || said.includes('Freeing unused kernel')) decide(true);
    });
  });
}
