import { Command } from 'commander';
import { ensureImage, recipes } from './index';

const command = new Command('sandbox:image')
  .description('Makes an image for machines that are real guests, once; prints where its files are.')
  .argument('[name]', Object.keys(recipes).join(' or '), 'debian-12');

void run(command.parse().processedArgs[0] as string);

async function run(name: string): Promise<void> {
  const start = Date.now();
  const log = (line: string): void =>
    void process.stderr.write(`${String(Math.round((Date.now() - start) / 1000)).padStart(4)} s  ${line}\n`);
  try {
    process.stdout.write(`${JSON.stringify(await ensureImage(name, log))}\n`);
  } catch (error) {
    process.stderr.write(`sandbox:image: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
