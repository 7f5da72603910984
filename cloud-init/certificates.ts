import type { Section } from './section';

/** Certificates of private authorities, trusted before anything is fetched. */
export function certificates(trusted: string[]): Section {
  return { name: 'certificates', settings: { ca_certs: { trusted } } };
}
