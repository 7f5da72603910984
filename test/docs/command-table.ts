import { STACK, type World } from './world';

/** What a page writes for what is different with every reader, and what it is here. */
export const PLACEHOLDERS: readonly (readonly [shown: RegExp, here: (world: World) => string])[] = [
  // One stack stands for all; one of its machines for all that are named.
  [/--stack builds-a --stack builds-b|--stack (?:production|builds-a|…|S\b)/g, () => `--stack ${STACK}`],
  [/(?<=["/])production(?=["/])/g, () => STACK],
  [/--pool P\b/g, () => '--pool ci'],
  [/\bci ci-000a\b/g, () => 'agents agents-0001'],
  [/\bci-000a\b/g, () => 'agents-0001'],
  // The pool of get-started may have five.
  [/\bscale ci 8\b/g, () => 'scale ci 4'],
  // A backend, folders and addresses of this machine.
  [/s3:\/\/(?:your-bucket|…)|file:\/\/~\/\.pulumi-state/g, ({ folder }) => `file://${folder}/state`],
  [/\/run\/worker-pools/g, ({ folder }) => `${folder}/run/worker-pools`],
  [/http:\/\/pools:8470/g, ({ ports }) => `http://127.0.0.1:${ports.workers}`],
  [/--port 8700\b/g, ({ ports }) => `--port ${ports.cloud}`],
  [/\/machines\/100000002\b/g, ({ machine }) => `/machines/${machine}`],
  // A reader says yes when asked, and sees a token on the terminal; here is none.
  [/\bpulumi (up|destroy)\b/g, () => 'pulumi $1 --yes --skip-preview'],
  [/\bpulumi cancel\b/g, () => 'pulumi cancel --yes'],
  [/(slots-token(?! .*--show).*)$/g, () => '$1 --show'],
  // Where the service of get-started listens; every other one only shows that it starts.
  [
    /\b(serve .*--listen) 100\.101\.102\.103:8470 --dry-run$/g,
    ({ ports: { workers, admin } }) => `$1 127.0.0.1:${workers} --admin 127.0.0.1:${admin} --dry-run`,
  ],
  [
    /\b(serve (?!.*--admin ).*)$/g,
    ({ folder }) => `$1 --dry-run --listen 127.0.0.1:0 --admin 127.0.0.1:0 --data ${folder}/other`,
  ],
  [
    /(worker-pools (?:status|explain|scale|drain|rollout|pause|resume|sweep|doctor)\b.*)$/g,
    ({ ports }) => `$1 --service http://127.0.0.1:${ports.admin}`,
  ],
  // An error answered is an error.
  [/\bcurl -s/g, () => 'curl --fail-with-body -s'],
];

/** The command as it is run here. */
export function here(command: string, world: World): string {
  return PLACEHOLDERS.reduce((text, [shown, value]) => text.replaceAll(shown, value(world)), command);
}

/** What is done with a command that is not simply run. */
export type Treatment =
  /** Not run. */
  | { readonly because: string }
  /** Run so. */
  | {
      /** What its reader types when it asks. */
      readonly typed?: (world: World) => string;
      /** It runs on; what it says when it is ready. */
      readonly untilItSays?: string;
      /** It is needed by what follows. */
      readonly stays?: true;
      /** On a worker, over SSH. */
      readonly onWorker?: true;
      /** Exit codes that are right; 0 alone where left out. */
      readonly codes?: readonly number[];
      /** After all other commands of all pages. */
      readonly last?: true;
      /** What its reader has done before, as a command. */
      readonly before?: (world: World) => string;
      /** Done with what it has said. */
      readonly then?: (world: World, said: string) => Promise<void>;
      /** Run in its place. */
      readonly instead?: (world: World) => Promise<string>;
    };

const ACCOUNT = 'needs an account at the vendor';
const HOST = 'is for the host of the service, as root: systemd is not here';
const DOCKER = 'there is no container engine here';
const INSTALLS = 'would install the packages anew; setup.test.ts does that';
const NAMED = 'only names a command; that it is there is tested in commands.test.ts';
const SUITE = 'is the test run itself';
const WORKER = 'is for a worker with real systemd; the machines’ tests run what it shows';

/** By page (all, where none is named) and command; the first that fits counts. */
const TREATMENTS: readonly (readonly [page: string | undefined, command: RegExp, treatment: Treatment])[] = [
  // Run elsewhere.
  [undefined, /^npm run demo(?! -- --help)/, { because: 'takes minutes: demo.test.ts plays it' }],
  [undefined, /^npm (?:test|run test:\w+)(?: |$)|^\.ci\/run$/, { because: SUITE }],
  [undefined, /^npm run bench/, { because: 'takes minutes: test/bench runs it with small numbers' }],
  [undefined, /^\(?(?:cd \S+ && )?npm ci/, { because: INSTALLS }],
  [
    'docs/machines.md',
    /^UPDATE_GOLDEN=1/,
    { because: 'writes golden files anew; documents.test.ts compares them' },
  ],
  ['CONTRIBUTING.md', /^npx mocha/, { because: 'is part of this test run' }],
  [
    undefined,
    /worker-pools post-(?:comment|drift)$/,
    { because: 'is for workflows: post.test.ts runs their scripts' },
  ],
  [
    undefined,
    /^npm run sandbox -- --(?:tailnet|machines) /,
    { because: 'builds or fetches for minutes, and has tests of its own' },
  ],
  ['docs/sandbox.md', /^npm run sandbox:image/, { because: 'installs packages as root and fetches images' }],
  [
    'docs/sandbox.md',
    /^cd "\$programs"$|^\.\/tailscaled? |ProxyCommand="\$programs/,
    {
      because: 'needs the programs of a real tailnet, which take minutes to build',
    },
  ],
  ['docs/toolchain.md', /^go mod tidy$/, { because: 'is for who changes a version of the engine' }],
  [
    'docs/queues.md',
    /^rabbitmqctl/,
    { because: 'needs the broker’s administrator; the queue’s tests give the same right' },
  ],
  // Named only.
  [
    undefined,
    /^(?:npx )?worker-pools (?:serve|doctor|deploy|preview|render|catalogue|devices|slots-token|undrain|scale|…)$/,
    { because: NAMED },
  ],
  [
    undefined,
    /^npm run --silent$|^pulumi (?:config set --secret(?: --path)?|stack init|import|up --replace|package get-schema)$/,
    { because: NAMED },
  ],
  [
    undefined,
    /^ssh -L$|^tailscale (?:serve|failed|ping|ip\|status)$|^systemctl is-active$|^cloud-init (?:status|schema)$|^cloud-init status \[|^docker logs$|^kill -9$|^apt-get update$/,
    { because: NAMED },
  ],
  [undefined, /^node toolchain\/setup\.mjs$/, { because: 'goes before a command; setup.test.ts runs it' }],
  // Not to be had here.
  [undefined, /^pulumi login$|sudo -u worker-pools -H pulumi login/, { because: ACCOUNT }],
  [
    undefined,
    /^tailscale (?:up|status|serve)|^ssh -L .* pools$/,
    { because: 'needs a real tailnet or host' },
  ],
  [undefined, /^curl -fsSL https:\/\/get\.pulumi\.com/, { because: 'installs from the internet' }],
  [undefined, /^docker /, { because: DOCKER }],
  [
    'docs/operations.md',
    /^(?:systemctl|journalctl|useradd|install|editor|systemd-ask-password|chown|git clone) ?/,
    { because: HOST },
  ],
  ['docs/operations.md', /^cd \/etc\/worker-pools\/secrets/, { because: HOST }],
  [undefined, /^git (?:-C \S+ )?pull/, { because: 'needs a remote repository' }],
  ['docs/toolchain.md', /^go clean/, { because: 'would empty the caches of this machine' }],
  ['docs/operations.md', /^pulumi stack rm --force$/, { because: 'throws the record away' }],
  [
    'docs/machines.md',
    /^systemctl reload|^journalctl -u (?:tailscaled|worker-pools@heartbeat)|^curl -K/,
    { because: WORKER },
  ],
  // Run with something more.
  [
    undefined,
    /config set --secret hcloud:token/,
    { typed: ({ sandbox }) => sandbox.endpoints.hetzner.token },
  ],
  [
    undefined,
    /config set --secret tailscale:oauthClientId/,
    { typed: ({ sandbox }) => sandbox.endpoints.tailscale.oauthClientId },
  ],
  [
    undefined,
    /config set --secret tailscale:oauthClientSecret/,
    { typed: ({ sandbox }) => sandbox.endpoints.tailscale.oauthClientSecret },
  ],
  [
    undefined,
    /config set --secret cloudflare:apiToken/,
    { typed: ({ sandbox }) => sandbox.endpoints.cloudflare.token },
  ],
  [
    undefined,
    /config set --secret --path 'worker-pools:pools\.ci\.queue\.url'/,
    { typed: ({ jobs }) => jobs },
  ],
  [
    undefined,
    /config set --secret --path 'worker-pools:pools\.ci\.workload/,
    { typed: () => 'a-token-of-the-workload' },
  ],
  [undefined, /^pulumi stack change-secrets-provider/, { typed: () => 'of the reader\nof the reader\n' }],
  ['docs/recipes.md', /^pulumi stack init builds-a$/, { last: true }],
  ['docs/operations.md', /^pulumi stack import/, { before: () => 'pulumi stack export --file backup.json' }],
  [
    'docs/policy.md',
    /^npm run simulate/,
    { before: () => `printf 'arrival,service\\n0,60\\n10,300\\n' >history.csv` },
  ],
  [
    'docs/service.md',
    /^curl /,
    { before: () => `TOKEN=$(worker-pools slots-token --stack ${STACK} --pool dev --show)` },
  ],
  [undefined, /worker-pools preview /, { codes: [0, 2] }],
  [
    undefined,
    /^ssh root@staging-\S+$/,
    { instead: (world) => world.ssh('staging-ci-0001', 'cloud-init status --wait') },
  ],
  // A machine that is played writes no such line.
  ['docs/machines.md', /^grep worker-pools:/, { onWorker: true, codes: [1] }],
  ['docs/machines.md', /^(?:cloud-init|journalctl -u 'worker)/, { onWorker: true }],
  ['docs/get-started.md', /worker-pools serve/, { untilItSays: '"listening"', stays: true }],
  [undefined, /^(?:npx )?worker-pools serve /, { untilItSays: '"listening"' }],
  [
    'docs/sandbox.md',
    /^npm run --silent sandbox/,
    { untilItSays: '"control"', stays: true, then: (world, said) => world.buyMachine(said) },
  ],
  [
    'docs/sandbox.md',
    /^curl -sX POST \$C\/jobs/,
    { before: ({ ports }) => `C=http://127.0.0.1:${ports.cloud}/control` },
  ],
  [undefined, /^pulumi destroy$/, { last: true }],
];

/** How a page's command is treated; undefined where it is run as it stands. */
export function treatmentOf(page: string, command: string): Treatment | undefined {
  return TREATMENTS.find(([at, shown]) => (at === undefined || at === page) && shown.test(command))?.[2];
}

/** Rows that no page needs any more. */
export function idleRows(shown: readonly { page: string; text: string }[]): string[] {
  const idle = TREATMENTS.filter(
    ([at, command, treatment]) =>
      !shown.some(
        ({ page, text }) =>
          (at ?? page) === page && command.test(text) && treatmentOf(page, text) === treatment,
      ),
  ).map(([, command]) => command);
  const unused = PLACEHOLDERS.map(([pattern]) => new RegExp(pattern)).filter(
    (pattern) => !shown.some(({ text }) => text.search(pattern) >= 0),
  );
  return [...idle, ...unused].map(String);
}
