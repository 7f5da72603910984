/** What a real tailnet needs of this machine beside its own programs, by the Debian package that has it. */
const NEEDED: Readonly<Record<string, string>> = {
  'dpkg-deb': 'dpkg',
  gpg: 'gnupg',
  openssl: 'openssl',
};

/** @throws Error that says what to install, where something is missing */
export function requirePrograms(isThere: (program: string) => boolean): void {
  const missing = Object.keys(NEEDED).filter((program) => !isThere(program));
  if (missing.length === 0) return;
  const packages = missing.map((program) => NEEDED[program] ?? program);
  throw new Error(
    `a real tailnet needs ${missing.join(', ')}: install ${packages.join(' ')} (on Debian: apt-get install ${packages.join(' ')})`,
  );
}
