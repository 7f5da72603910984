import type { Repository, Section } from './section';

/**
 * One transaction for every package that the other concerns ask for: one index update and one install are the
 * fastest, and a worker that lacks one of them is of no use.
 *
 * Not cloud-init's own `packages`, which tries once. `apt-helper` is part of apt, so nothing needs to be there
 * to fetch a repository's key. Without Error-Mode, `update` calls an unreachable repository a success.
 */
export function packages(sections: readonly Section[]): Section {
  const names = [...new Set(sections.flatMap((section) => section.packages ?? []))].sort();
  const repositories = sections.flatMap((section) => section.repository ?? []);
  return {
    name: 'packages',
    step: `export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
${repositories.map(addRepository).join('')}try 300 apt-get -qq -o APT::Update::Error-Mode=any update
try 600 apt-get -qq -o DPkg::Lock::Timeout=300 --no-install-recommends install ${names.join(' ')}
`,
  };
}

function addRepository({ name, keyUrl, url, suite }: Repository): string {
  const keyring = `/usr/share/keyrings/${name}.gpg`;
  return `try 60 /usr/lib/apt/apt-helper download-file ${keyUrl} ${keyring}
chmod 644 ${keyring}
echo "deb [signed-by=${keyring}] ${url} ${suite} main" >/etc/apt/sources.list.d/${name}.list
`;
}
