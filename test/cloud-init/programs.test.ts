import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { workerDocument, type Container } from '../../cloud-init';
import { clock } from '../../cloud-init/clock';
import { bare, full, privateOnly, worker } from './machines';
import { contentOf, inFolder, need, stub } from './programs';

/** A program of the machine with its absolute folders moved into `folder`. */
function moved(program: string, folder: string): string {
  for (const path of [
    '/usr/local/lib/worker-pools',
    '/etc/worker-pools',
    '/run/worker-pools',
    '/etc/resolv.conf',
    '/etc/apt',
    '/sys/class/net',
  ])
    program = program.replaceAll(path, join(folder, path));
  return program;
}

function sh(program: string, folder: string, args: string[] = []) {
  const path = join(folder, 'program');
  writeFileSync(path, program, { mode: 0o700 });
  return spawnSync(path, args, {
    encoding: 'utf8',
    env: { PATH: `${folder}:/usr/bin:/bin:/usr/sbin:/sbin` },
  });
}

describe('the steps of a machine', function () {
  this.timeout(60_000);
  const document = workerDocument(bare);
  const prelude = contentOf(document, '/usr/local/lib/worker-pools/step');

  function step(folder: string, name: string, body: string) {
    mkdirSync(join(folder, 'run'), { recursive: true });
    stub(folder, 'sleep', 'echo "pause $1"');
    writeFileSync(join(folder, 'step'), moved(prelude, folder));
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\n. ${folder}/step\n${body}`, { mode: 0o700 });
    return spawnSync(path, { encoding: 'utf8', env: { PATH: `${folder}:/usr/bin:/bin` } });
  }

  it('try again after growing pauses and go on when it works', () =>
    inFolder((folder) => {
      stub(folder, 'flaky', `echo x >>${folder}/tries; [ $(wc -l <${folder}/tries) -ge 3 ]`);
      const { status, stdout } = step(folder, '10-one', 'try 5 flaky "a b"\necho done\n');
      assert.equal(status, 0);
      assert.equal(
        stdout,
        'worker-pools: 10-one\nworker-pools: 10-one failed (1 of 5): flaky a b\npause 5\n' +
          'worker-pools: 10-one failed (2 of 5): flaky a b\npause 10\ndone\n',
      );
    }));

  it('end with a readable line after five tries, and nothing after them runs', () =>
    inFolder((folder) => {
      const first = step(folder, '10-one', 'try 5 false\necho not reached\n');
      assert.equal(first.status, 1);
      assert.equal(first.stdout.match(/of 5/g)?.length, 5);
      assert.match(first.stdout, /\nworker-pools: 10-one failed, see above\n$/);
      assert.doesNotMatch(first.stdout, /not reached/);
      const second = step(folder, '11-two', 'echo not reached\n');
      assert.equal(second.status, 0);
      assert.equal(second.stdout, '');
    }));

  it('stop at any command that fails', () =>
    inFolder((folder) => {
      const { status, stdout } = step(folder, '10-one', '(exit 3)\necho not reached\n');
      assert.equal(status, 3);
      assert.equal(stdout, 'worker-pools: 10-one\nworker-pools: 10-one failed, see above\n');
    }));

  it('name the one that failed in what cloud-init reports', () =>
    inFolder((folder) => {
      need('cloud-init', 'cloud-init');
      const program = `import sys; from cloudinit import subp; subp.runparts(sys.argv[1])`;
      const scripts = join(folder, 'scripts');
      mkdirSync(scripts);
      mkdirSync(join(folder, 'run'));
      stub(folder, 'sleep', '');
      writeFileSync(join(folder, 'step'), moved(prelude, folder));
      for (const [name, body] of Object.entries({
        '10-one': 'true',
        '11-two': 'try 5 false',
        '12-three': 'false',
      }))
        stub(scripts, name, `. ${folder}/step\n${body}`);
      const { status, stderr } = spawnSync('/usr/bin/python3', ['-c', program, scripts], {
        encoding: 'utf8',
        env: { PATH: `${folder}:/usr/bin:/bin` },
      });
      assert.equal(status, 1);
      assert.match(stderr, /RuntimeError: Runparts: 1 failures \(11-two\) in 3 attempted commands/);
    }));

  it('bound every try', () =>
    inFolder((folder) => {
      stub(folder, 'timeout', 'echo "within $1: $2"');
      assert.match(step(folder, '10-one', 'try 300 apt-get\n').stdout, /within 300: apt-get/);
    }));
});

describe('the clock', function () {
  this.timeout(60_000);
  const [bare0] = workerDocument(bare).config.bootcmd ?? [];
  const flag = '/run/systemd/timesync/synchronized';
  const done = 'worker-pools: clock synchronised\n';
  const warned = 'worker-pools: clock not synchronised, going on\n';

  const rows = [
    {
      name: 'timesyncd synchronises',
      stubs: { systemctl: 'mkdir -p $F/run/systemd/timesync; : >$F$T' },
      said: done,
    },
    {
      name: 'timesyncd does not within a minute',
      stubs: { systemctl: '', timeout: 'echo "$1" >$F/limit; exit 124' },
      said: warned,
    },
    { name: 'there is no timesyncd', stubs: { systemctl: 'exit 5' }, said: warned },
    { name: 'chrony sets it', stubs: { chronyd: '[ "$1" = -q ]' }, said: done },
    { name: 'chrony cannot', stubs: { chronyd: 'exit 1' }, said: warned },
  ];
  for (const { name, stubs, said } of rows)
    it(`is waited for, and the boot goes on: ${name}`, () =>
      inFolder((folder) => {
        for (const [program, body] of Object.entries(stubs))
          stub(folder, program, `F=${folder} T=${flag}\n${body}`);
        const { status, stdout } = sh(`#!/bin/sh\n${bare0?.replaceAll(flag, folder + flag)}`, folder);
        assert.equal(status, 0);
        assert.equal(stdout, said);
        if ('timeout' in stubs) assert.equal(readFileSync(join(folder, 'limit'), 'utf8'), '60\n');
      }));

  it('asks the given servers', () => {
    const program = clock({ timeServers: ['ntp1.example.com', '10.20.0.7'] }).bootcmd ?? '';
    return inFolder((folder) => {
      mkdirSync(join(folder, '/etc/chrony/sources.d'), { recursive: true });
      stub(folder, 'chronyd', '');
      const { stderr } = sh(`#!/bin/sh\n${program.replaceAll('/etc/', `${folder}/etc/`)}`, folder);
      assert.equal(stderr, '');
      const read = (path: string) => readFileSync(join(folder, path), 'utf8');
      assert.equal(
        read('/etc/systemd/timesyncd.conf.d/worker-pools.conf'),
        '[Time]\nNTP=ntp1.example.com 10.20.0.7\n',
      );
      assert.equal(
        read('/etc/chrony/sources.d/worker-pools.sources'),
        'server ntp1.example.com iburst\nserver 10.20.0.7 iburst\n',
      );
    });
  });
});

describe('the workload', function () {
  this.timeout(60_000);
  /** What a container would get, by a stand-in for Docker that reads an env file as Docker does. */
  async function started(container: Container): Promise<{ args: string[]; env: Record<string, string> }> {
    const document = workerDocument({ ...bare, workload: { container } });
    return inFolder((folder) => {
      mkdirSync(join(folder, '/etc/worker-pools'), { recursive: true });
      const files = document.config.write_files ?? [];
      for (const { path } of files.filter((file) => file.path.startsWith('/etc/worker-pools/workload.')))
        writeFileSync(join(folder, path), contentOf(document, path));
      writeFileSync(
        join(folder, 'docker'),
        `#!${process.execPath}
const fs = require('node:fs');
const args = process.argv.slice(2);
if (args[0] !== 'run') process.exit(0);
const env = {};
args.forEach((arg, index) => {
  if (arg === '-e') env[args[index + 1]] = process.env[args[index + 1]];
  if (arg === '--env-file')
    for (const line of fs.readFileSync(args[index + 1], 'utf8').split('\\n').filter(Boolean))
      env[line.slice(0, line.indexOf('='))] = line.slice(line.indexOf('=') + 1);
});
fs.writeFileSync('${folder}/out', JSON.stringify({ args, env }));
`,
        { mode: 0o755 },
      );
      const { status, stderr } = sh(
        moved(contentOf(document, '/usr/local/lib/worker-pools/workload'), folder),
        folder,
      );
      assert.equal(status, 0, stderr);
      return JSON.parse(readFileSync(join(folder, 'out'), 'utf8')) as {
        args: string[];
        env: Record<string, string>;
      };
    });
  }

  const text = fc
    .oneof(
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.string({ unit: fc.constantFrom(...' \n\r\t\'"`$\\#=%!é€x') }),
    )
    .filter((value) => !value.includes('\0'));

  it('gets any environment and arguments unharmed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.stringMatching(/^X_[A-Za-z0-9_]{0,8}$/), text, {
          maxKeys: 5,
          noNullPrototype: true,
        }),
        fc.array(text, { maxLength: 4 }),
        async (env, args) => {
          const container = await started({ image: 'image:1', env, args });
          assert.deepEqual(container.env, env);
          assert.deepEqual(container.args.slice(container.args.indexOf('image:1') + 1), args);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('may be given DOCKER_HOST and PATH without misleading the command that starts it', async () => {
    const env = { DOCKER_HOST: 'tcp://inner:2375', PATH: '/nowhere' };
    assert.deepEqual((await started({ image: 'image:1', env })).env, env);
  });

  it('refuses what no container can have', () => {
    const withEnv = (env: Record<string, string>) => () =>
      workerDocument({ ...bare, workload: { container: { image: 'i', env } } });
    assert.throws(withEnv({ 'A-B': '' }), {
      name: 'RangeError',
      message: 'environment name "A-B" is no identifier',
    });
    assert.throws(withEnv({ A: '\0' }), {
      name: 'RangeError',
      message: 'environment variable A contains a NUL character',
    });
  });
});

describe('the way out of a private machine', function () {
  this.timeout(60_000);
  const [setUp] = workerDocument({ ...bare, network: privateOnly }).config.bootcmd ?? [];
  const program = setUp?.split("<<'END'\n")[1]?.split('END\n')[0] ?? '';

  const rows = [
    {
      name: 'by the MAC of private networks',
      mac: '86:00:00:12:34:56',
      network: '',
      present: '',
      changes: true,
    },
    {
      name: 'by the route to the network',
      mac: '52:54:00:12:34:56',
      network: '10.20.0.0/16 via',
      present: '',
      changes: true,
    },
    {
      name: 'not through another interface',
      mac: '52:54:00:12:34:56',
      network: '',
      present: '',
      changes: false,
    },
    {
      name: 'only when it is missing',
      mac: '86:00:00:12:34:56',
      network: '',
      present: 'default via',
      changes: false,
    },
  ];
  for (const { name, mac, network, present, changes } of rows)
    it(`is set ${name}`, () =>
      inFolder((folder) => {
        const device = join(folder, '/sys/class/net/enp7s0');
        mkdirSync(join(device, 'device'), { recursive: true });
        writeFileSync(join(device, 'address'), `${mac}\n`);
        mkdirSync(join(folder, 'etc'));
        stub(
          folder,
          'ip',
          `case "$*" in
            "route show 10.20.0.0/16 dev enp7s0") echo "${network}" ;;
            "route show default via 10.20.0.1") printf %s "${present}" ;;
            *) echo "$*" >>${folder}/changes ;;
          esac`,
        );
        const { status, stderr } = sh(moved(program, folder), folder, ['once']);
        assert.equal(status, 0, stderr);
        const log = join(folder, 'changes');
        const made = existsSync(log) ? readFileSync(log, 'utf8') : '';
        assert.equal(made, changes ? 'route replace default via 10.20.0.1 dev enp7s0 onlink\n' : '');
        assert.equal(
          readFileSync(join(folder, '/etc/resolv.conf'), 'utf8'),
          'nameserver 185.12.64.1\nnameserver 185.12.64.2\n',
        );
      }));
});

describe('waiting for the NAT machine', function () {
  this.timeout(60_000);
  const [program = ''] = workerDocument({ ...bare, network: privateOnly }).config.bootcmd ?? [];
  const wait = program.slice(program.indexOf('name='));

  const rows: { name: string; files: Record<string, string>; host: string }[] = [
    {
      name: 'in the one-line format',
      files: {
        'sources.list':
          '# deb http://old.example.com/debian x main\n' +
          'deb cdrom:[Debian]/ x main\n' +
          'deb [signed-by=/usr/share/keyrings/a.gpg] http://mirror.example.com/debian/packages x main\n' +
          'deb http://second.example.com/debian x main\n',
      },
      host: 'mirror.example.com',
    },
    {
      name: 'in deb822',
      files: {
        'sources.list': '# see sources.list.d\n',
        'sources.list.d/ubuntu.sources': 'Types: deb\nURIs: https://user:pw@mirror.example.com:8080/u\n',
      },
      host: 'mirror.example.com',
    },
    {
      name: 'in a list of mirrors that a source names',
      files: {
        'sources.list.d/debian.sources': 'Types: deb\nURIs: mirror+file:///etc/apt/mirrors/debian.list\n',
        'mirrors/debian.list': 'https://mirror.example.com/debian\n',
      },
      host: 'mirror.example.com',
    },
  ];
  for (const { name, files, host } of rows)
    it(`looks up the package archive that the machine has ${name}`, () =>
      inFolder((folder) => {
        for (const [path, content] of Object.entries(files)) {
          mkdirSync(join(folder, '/etc/apt', path, '..'), { recursive: true });
          writeFileSync(join(folder, '/etc/apt', path), content);
        }
        mkdirSync(join(folder, '/usr/local/lib/worker-pools'), { recursive: true });
        stub(join(folder, '/usr/local/lib/worker-pools'), 'route', '');
        stub(folder, 'getent', `echo "$*" >>${folder}/asked; [ $(wc -l <${folder}/asked) -ge 3 ]`);
        stub(folder, 'sleep', '');
        const { status, stdout } = sh(`#!/bin/sh\n${moved(wait, folder)}`, folder);
        assert.equal(status, 0);
        assert.equal(readFileSync(join(folder, 'asked'), 'utf8'), `ahostsv4 ${host}\n`.repeat(3));
        assert.equal(
          stdout,
          'worker-pools: route: nothing forwarded by 10.20.0.1 yet, try 1 of 40\n' +
            'worker-pools: route: 10.20.0.1 forwards\n',
        );
      }));

  it('gives up after forty tries, and the boot goes on', () =>
    inFolder((folder) => {
      mkdirSync(join(folder, '/usr/local/lib/worker-pools'), { recursive: true });
      mkdirSync(join(folder, '/etc/apt'), { recursive: true });
      stub(join(folder, '/usr/local/lib/worker-pools'), 'route', `echo x >>${folder}/tries`);
      stub(folder, 'getent', 'exit 2');
      stub(folder, 'sleep', '');
      const { status, stdout } = sh(`#!/bin/sh\n${moved(wait, folder)}`, folder);
      assert.equal(status, 0);
      assert.equal(readFileSync(join(folder, 'tries'), 'utf8').trim().split('\n').length, 40);
      assert.match(stdout, /\nworker-pools: route: gave up waiting for 10\.20\.0\.1 to forward; .*\n$/);
    }));
});

describe('the step that joins the tailnet', function () {
  this.timeout(60_000);
  const document = workerDocument(worker);
  const prelude = contentOf(document, '/usr/local/lib/worker-pools/step');
  const step = contentOf(document, '/var/lib/cloud/scripts/per-instance/13-tailscale');

  const rows = [
    { name: 'joins', answers: ['ok'], tries: 1, status: 0 },
    { name: 'tries again when nobody answers', answers: ['timeout', 'ok'], tries: 2, status: 0 },
    { name: 'gives up after five tries', answers: ['timeout'], tries: 5, status: 1 },
    {
      name: 'gives up at once when the control server refuses it, and says why',
      answers: ['backend error: authkey already used'],
      tries: 1,
      status: 1,
    },
  ];
  for (const { name, answers, tries, status } of rows)
    it(name, () =>
      inFolder((folder) => {
        const programs = join(folder, '/usr/local/lib/worker-pools');
        for (const path of [programs, join(folder, 'run')]) mkdirSync(path, { recursive: true });
        writeFileSync(join(programs, 'step'), moved(prelude, folder));
        writeFileSync(join(folder, 'run/worker-pools.key'), 'tskey');
        writeFileSync(join(folder, 'answers'), `${answers.join('\n')}\n`);
        stub(folder, 'sleep', '');
        stub(
          folder,
          'tailscale',
          `echo x >>${folder}/tries; a=$(head -n 1 ${folder}/answers)
[ $(wc -l <${folder}/answers) = 1 ] || sed -i 1d ${folder}/answers; [ "$a" = ok ] || { echo "$a" >&2; exit 1; }`,
        );
        const result = sh(moved(step, folder), folder);
        assert.equal(result.status, status, result.stdout + result.stderr);
        assert.equal(readFileSync(join(folder, 'tries'), 'utf8').trim().split('\n').length, tries);
        assert.equal(existsSync(join(folder, 'run/worker-pools.key')), status !== 0);
        if (status !== 0) assert.ok(result.stdout.includes(`${answers[0]}\n`), result.stdout);
      }),
    );
});

describe('the step that starts a container', function () {
  this.timeout(60_000);
  const document = workerDocument({ ...bare, workload: { container: { image: 'i', env: {} } } });
  const prelude = contentOf(document, '/usr/local/lib/worker-pools/step');
  const step = contentOf(document, '/var/lib/cloud/scripts/per-instance/12-workload');

  /** What is seen of the container in each second, the last one for ever: `starts`, `runs`, or the status that it ended with. */
  const rows: { name: string; seconds: string; status: number }[] = [
    { name: 'goes on when it runs', seconds: 'runs runs', status: 0 },
    { name: 'waits for one that takes its time', seconds: 'starts starts starts runs runs', status: 0 },
    { name: 'goes on when it has ended well', seconds: 'starts 0 starts', status: 0 },
    { name: 'forgives two bad ends', seconds: '125 starts 1 runs runs', status: 0 },
    {
      name: 'fails with the reason when it cannot be started',
      seconds: '127 starts 127 starts 127',
      status: 1,
    },
    { name: 'fails when it ends with an error again and again', seconds: 'runs 1 runs 1 runs 1', status: 1 },
  ];
  for (const { name, seconds, status } of rows)
    it(name, () =>
      inFolder((folder) => {
        const programs = join(folder, '/usr/local/lib/worker-pools');
        for (const path of [programs, join(folder, 'run')]) mkdirSync(path, { recursive: true });
        writeFileSync(join(programs, 'step'), moved(prelude, folder));
        writeFileSync(join(folder, 'seconds'), `${seconds.replaceAll(' ', '\n')}\n`);
        stub(
          folder,
          'second',
          `s=$(head -n 1 ${folder}/seconds); case $s in [0-9]*) echo $s >>${ends(folder)} ;; esac`,
        );
        stub(folder, 'systemctl', 'second');
        stub(folder, 'sleep', `[ $(wc -l <${folder}/seconds) = 1 ] || sed -i 1d ${folder}/seconds; second`);
        stub(folder, 'docker', `[ $1 != ps ] || head -n 1 ${folder}/seconds | sed -n 's/runs/0f1e/p'`);
        stub(folder, 'journalctl', 'echo "docker: executable file not found"');
        const result = sh(moved(step, folder), folder);
        assert.equal(result.status, status, result.stdout + result.stderr);
        assert.equal(result.stdout.includes('executable file not found'), status !== 0);
      }),
    );
  const ends = (folder: string): string => join(folder, 'run/worker-pools.workload');
});

describe('Traefik', function () {
  this.timeout(60_000);
  it('is started with the ports asked for and routes the workload by its labels', () => {
    const document = workerDocument(full);
    const traefik = contentOf(document, '/usr/local/lib/worker-pools/traefik');
    assert.match(traefik, /-p 8080:80 -p 8443:443 .* traefik:v3\.6\.13 --providers\.docker=true /);
    const workload = contentOf(document, '/usr/local/lib/worker-pools/workload');
    assert.ok(
      workload.includes("-l 'traefik.http.routers.workload.rule=Host(`ci-000a.staging.example.com`)'"),
    );
    assert.ok(workload.includes('loadbalancer.server.port=3000'));
  });
});
