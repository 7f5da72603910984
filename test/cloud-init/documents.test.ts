import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { parse } from 'yaml';
import { render, userDataLimit, withoutSecrets } from '../../cloud-init';
import { documentOf, full, machines } from './machines';
import { inFolder, need, run, shellPrograms } from './programs';

const golden = join(__dirname, 'golden');
const updating = process.env['UPDATE_GOLDEN'] === '1';

describe('the rendered documents', function () {
  this.timeout(60_000);
  for (const [name, machine] of Object.entries(machines)) {
    const document = documentOf(machine);
    const rendered = render(document);

    describe(name, () => {
      it('reads as its golden copy (UPDATE_GOLDEN=1 rewrites it)', () => {
        const path = join(golden, `${name}.yaml`);
        const { text } = render(documentOf(withoutSecrets(machine)));
        if (updating) {
          mkdirSync(golden, { recursive: true });
          writeFileSync(path, text);
        }
        assert.ok(existsSync(path), `${path} is missing; run again with UPDATE_GOLDEN=1 and look at it`);
        assert.equal(text, readFileSync(path, 'utf8'));
      });

      it('is valid, without a deprecation, for the real cloud-init', () =>
        inFolder((folder) => {
          need('cloud-init', 'cloud-init');
          const path = join(folder, 'user-data.yaml');
          writeFileSync(path, rendered.text);
          const result = spawnSync('cloud-init', ['schema', '--config-file', path], { encoding: 'utf8' });
          const said = result.stdout + result.stderr;
          assert.equal(result.status, 0, said);
          assert.match(said, /valid/i);
          assert.doesNotMatch(said, /deprecat/i);
        }));

      it('means the same to a YAML 1.1 reader as the data it was made of', () => {
        const program = 'import json, sys, yaml; json.dump(yaml.safe_load(sys.stdin), sys.stdout)';
        need('cloud-init', 'cloud-init');
        const read: unknown = JSON.parse(run('/usr/bin/python3', ['-c', program], rendered.text));
        assert.deepEqual(read, document.config);
        assert.deepEqual(parse(rendered.text), document.config);
      });

      it('holds only shell that the shell can read', () => {
        const programs = shellPrograms(document);
        assert.ok(Object.keys(programs).length > 3);
        for (const [path, program] of Object.entries(programs)) {
          const { status, stderr } = spawnSync('sh', ['-n'], { input: program, encoding: 'utf8' });
          assert.equal(status, 0, `${path}: ${stderr}`);
        }
      });

      it('holds only shell that shellcheck has no doubts about', () => {
        need('shellcheck', 'shellcheck');
        for (const [path, program] of Object.entries(shellPrograms(document))) {
          const args = ['--shell=sh', '--severity=warning', '-'];
          const { status, stdout } = spawnSync('shellcheck', args, { input: program, encoding: 'utf8' });
          assert.equal(status, 0, `${path}: ${stdout}`);
        }
      });

      it('is packed the same way each time, and unpacks to its text', () => {
        assert.equal(render(document).userData, rendered.userData);
        const zipped = Buffer.from(rendered.userData, 'base64');
        assert.equal(zipped.toString('base64'), rendered.userData);
        assert.equal(gunzipSync(zipped).toString(), rendered.text);
        assert.deepEqual([...zipped.subarray(0, 10)], [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255]);
      });

      it('says what fills it', () => {
        assert.equal(rendered.bytes, rendered.userData.length);
        assert.ok(rendered.bytes < userDataLimit);
        assert.equal(
          rendered.sections.reduce((sum, { bytes }) => sum + bytes, 0),
          rendered.bytes,
        );
        assert.deepEqual(
          rendered.sections.map((section) => section.name),
          document.sections.map((section) => section.name),
        );
      });

      it('has no two files of one path', () => {
        const paths = (document.config.write_files ?? []).map((file) => file.path);
        assert.deepEqual(paths, [...new Set(paths)]);
      });
    });
  }

  it('stay small, because user data is kept in the state of the stack', () => {
    const budgets = { worker: 3648, 'worker-private': 4480, 'worker-full': 5632, gateway: 2304 };
    for (const [name, budget] of Object.entries(budgets)) {
      const { bytes } = render(documentOf(machines[name]!));
      assert.ok(bytes <= budget, `${name} takes ${bytes} bytes, more than ${budget}`);
    }
  });

  it('do the way out, the clock, packages, guard, tailnet, workload and heartbeat in this order', () => {
    const { config } = documentOf(full);
    const [first, second] = config.bootcmd ?? [];
    assert.match(first ?? '', /ip route replace default/);
    assert.match(second ?? '', /systemd-timesyncd/);
    assert.doesNotMatch((config.bootcmd ?? []).join(''), /apt-get|apt-helper/);
    assert.deepEqual(
      (config.write_files ?? []).flatMap(({ path }) => path.match(/per-instance\/(.*)/)?.[1] ?? []),
      [
        '10-report',
        '11-route',
        '12-ssh',
        '13-packages',
        '14-firewall',
        '15-tailscale',
        '16-traefik',
        '17-workload',
        '18-heartbeat',
      ],
    );
  });

  it('show no secret when made of a machine without secrets', () => {
    const { text } = render(documentOf(withoutSecrets(full)));
    const { ssh, tailscale, service, workload } = full;
    const secrets = [
      ...ssh.hostKey.privateKey.split('\n').filter((line) => !/^(-----.*)?$/.test(line)),
      tailscale?.authKey,
      service?.token,
      ...Object.values(workload?.container.env ?? {}).flatMap((value) => value.split('\n').filter(Boolean)),
    ];
    for (const secret of secrets) assert.ok(secret !== undefined && !text.includes(secret), secret);
    for (const shown of ['[tailnet key]', '[value]', 'Bearer [token]'])
      assert.ok(text.includes(shown), shown);
  });

  it('let nobody but root read a secret', () => {
    for (const machine of Object.values(machines))
      for (const { path, content, permissions } of documentOf(machine).config.write_files ?? [])
        if (/tskey|Bearer|PEM=|\$w@db/.test(content)) assert.equal(permissions, '0600', path);
  });
});
