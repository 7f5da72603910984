import type { Repository, Section } from './section';

/**
 * One transaction for every package that the other concerns ask for: one index update and one install are the
 * fastest, and a machine that lacks one of them is of no use.
 *
 * Not cloud-init's own `packages`, which tries once. `apt-helper` is part of apt, so nothing needs to be there
 * to fetch a repository's key. Without Error-Mode, `update` calls an unreachable repository a success. Translated
 * descriptions, a third of what it would fetch, are for readers.
 */
export function packages(sections: readonly Section[]): Section {
  const names = [...new Set(sections.flatMap((section) => section.packages ?? []))].sort();
  const repositories = sections.flatMap((section) => section.repository ?? []);
  return {
    name: 'packages',
    step: `${repositories.map(addRepository).join('')}export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
try 300 apt-get -qo APT::Update::Error-Mode=any -o Acquire::Languages=none update
try 600 apt-get -qyo DPkg::Lock::Timeout=300 --no-install-recommends install ${names.join(' ')}
`,
  };
}

function addRepository({ name, url, suite }: Repository): string {
  const keyring = `/usr/share/keyrings/${name}.gpg`;
  return `try 60 /usr/lib/apt/apt-helper download-file ${url}/${suite}.noarmor.gpg ${keyring}
echo "deb [signed-by=${keyring}] ${url} ${suite} main" >/etc/apt/sources.list.d/${name}.list
`;
}
