import { gzipSync, constants } from 'node:zlib';
import { stringify } from 'yaml';
import { merge, type MachineDocument } from './document';
import type { CloudConfig } from './section';

/** Longest `user_data` that Hetzner accepts, in bytes as sent. Source: https://docs.hetzner.cloud/#servers-create-a-server */
export const userDataLimit = 32_768;

/** How many bytes of the user data one concern takes. */
export interface SectionSize {
  name: string;
  bytes: number;
}

/** A document as it is sent. */
export interface Rendered {
  /** The cloud-config as cloud-init reads it. */
  text: string;
  /**
   * The text, gzipped and base64-encoded; Hetzner's data source undoes both. The same text gives the same value on
   * one kind of processor; across kinds the compressor may differ, so compare texts, never this.
   */
  userData: string;
  /** Length of `userData`, to be compared with `userDataLimit`. */
  bytes: number;
  /** What fills it, in the document's order; the sum is `bytes`. Measured when asked for. */
  readonly sections: SectionSize[];
}

/** Renders a document as text and as user data. */
export function render(document: MachineDocument): Rendered {
  const text = textOf(document.config);
  const userData = pack(text);
  return {
    text,
    userData,
    bytes: userData.length,
    get sections() {
      return fill(document);
    },
  };
}

/** The text a server's user data stands for; the inverse of what `render` packs is `gunzip(base64)`. */
function textOf(config: CloudConfig): string {
  // cloud-init reads YAML 1.1, where more plain words (yes, 0644, 12:30) are no strings.
  return `#cloud-config\n${stringify(config, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false })}`;
}

function pack(text: string): string {
  const zipped = gzipSync(text, { level: constants.Z_BEST_COMPRESSION, memLevel: 9 });
  zipped.fill(0, 4, 8); // modification time (RFC 1952, 2.3)
  zipped[9] = 255; // operating system: unknown
  return zipped.toString('base64');
}

/** A section's share is what it adds to the ones before it: compression makes shares depend on the neighbours. */
function fill({ sections }: MachineDocument): SectionSize[] {
  let before = 0;
  return sections.map(({ name }, index) => {
    const size = pack(textOf(merge(sections.slice(0, index + 1)))).length;
    const bytes = size - before;
    before = size;
    return { name, bytes };
  });
}
