import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { RegistryLocation } from '../../../automation/registry';

const SERVER = '127.0.0.1:5432';

/** A place for one registry; `remove` leaves nothing of it. */
export interface Place<Location extends RegistryLocation = RegistryLocation> {
  readonly location: Location;
  remove(): Promise<void>;
}

/** A database of its own on the real PostgreSQL. */
export async function emptyDatabase(): Promise<Place<{ url: string }>> {
  const name = `wp_${randomBytes(6).toString('hex')}`;
  await asAdmin(`create database ${name}`);
  return {
    location: { url: `postgres://postgres@${SERVER}/${name}` },
    remove: () => asAdmin(`drop database ${name} with (force)`),
  };
}

export async function emptyDirectory(): Promise<Place<{ directory: string }>> {
  const root = mkdtempSync(join(tmpdir(), 'registry-'));
  return {
    location: { directory: join(root, 'registry') },
    remove: async () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Runs statements in a database as its owner, beside what is tested. */
export async function sql(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url });
  try {
    await client.connect();
  } catch (error) {
    throw new Error(`no PostgreSQL at ${SERVER}`, { cause: error });
  }
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

async function asAdmin(text: string): Promise<void> {
  await sql(`postgres://postgres@${SERVER}/postgres`, text);
}
