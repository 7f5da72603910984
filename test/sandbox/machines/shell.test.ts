import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type Asked, playCommands, type SystemState } from '../../../sandbox/machines/effects';
import { parseShell } from '../../../sandbox/machines/shell';

function freshSystem(files: Record<string, string> = {}): SystemState {
  return { files, defaultRoute: false, resolvers: false, forwarding: false, nftRules: [], iptablesRules: [] };
}

function play(text: string, files: Record<string, string> = {}): { asked: Asked; system: SystemState } {
  const system = freshSystem(files);
  return { asked: playCommands([text], system, 'one'), system };
}

describe('shell text', () => {
  const words = (text: string): string[][] => parseShell(text).map((command) => command.words);

  for (const { text, expected } of [
    { text: `echo 'a b' "c d" e\\ f`, expected: [['echo', 'a b', 'c d', 'e f']] },
    { text: 'a && b || c | d; e &', expected: [['a'], ['b'], ['c'], ['d'], ['e']] },
    { text: 'a # rest\n b \\\n c', expected: [['a'], ['b', 'c']] },
    { text: 'until ping -c 1 x; do sleep 2; done', expected: [['ping', '-c', '1', 'x'], ['sleep', '2'], []] },
    { text: 'echo "$(cat /a b)" >/x 2>&1', expected: [['echo', '$(cat /a b)']] },
    { text: `''`, expected: [['']] },
  ])
    it(`of ${JSON.stringify(text)} comes apart`, () => assert.deepEqual(words(text), expected));

  it('keeps here-documents with the command that reads them', () => {
    const [cat, next] = parseShell("cat >/etc/x <<'END'\nline 1\n  # not a comment\nEND\ntrue");
    assert.deepEqual(
      [cat?.words, cat?.outputs, cat?.input],
      [['cat'], [{ path: '/etc/x', append: false }], 'line 1\n  # not a comment\n'],
    );
    assert.deepEqual(next?.words, ['true']);
  });

  it('is read to its end, whatever it is', () => {
    const fragment = fc.constantFrom(
      '"',
      "'",
      '\\',
      '$(',
      ')',
      '<<',
      '<<-',
      'E',
      '\n',
      '&',
      '>',
      '2>',
      '|',
      ';',
      ' ',
      '#',
      '{',
      'f() {',
      'a=',
      '$a',
    );
    fc.assert(
      fc.property(fc.array(fc.oneof(fragment, fc.string()), { maxLength: 30 }), (parts) => {
        const text = parts.join('');
        assert.ok(parseShell(text).length <= text.length);
        play(text);
      }),
    );
  });

  it('means the same word quoted or escaped', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (word) => {
        assert.deepEqual(words(`echo '${word.replaceAll("'", `'\\''`)}'`), [['echo', word]]);
      }),
    );
  });
});

describe('commands played on a machine', () => {
  const rows: { text: string; files?: Record<string, string>; effect: Partial<SystemState> }[] = [
    { text: 'ip route add default via 10.0.0.1', effect: { defaultRoute: true } },
    { text: 'ip route add 10.1.0.0/16 via 10.0.0.1', effect: { defaultRoute: false } },
    {
      text: 'netplan apply',
      files: { '/etc/netplan/60.yaml': 'routes: [{to: default, via: 10.0.0.1}]' },
      effect: { defaultRoute: true },
    },
    { text: 'netplan apply', effect: { defaultRoute: false } },
    { text: 'echo "nameserver 1.1.1.1" > /etc/resolv.conf', effect: { resolvers: true } },
    { text: 'resolvectl dns eth0 1.1.1.1', effect: { resolvers: true } },
    { text: 'sysctl -w net.ipv4.ip_forward=1', effect: { forwarding: true } },
    { text: 'echo 1 >/proc/sys/net/ipv4/ip_forward', effect: { forwarding: true } },
    {
      text: 'true',
      files: { '/etc/sysctl.d/9.conf': 'net.ipv4.ip_forward=1' },
      effect: { forwarding: false },
    },
    {
      text: 'sysctl --system',
      files: { '/etc/sysctl.d/9.conf': 'net.ipv4.ip_forward = 1' },
      effect: { forwarding: true },
    },
    {
      text: 'iptables -t nat -A POSTROUTING -j MASQUERADE',
      effect: { iptablesRules: ['-A POSTROUTING -j MASQUERADE'] },
    },
    { text: 'nft -f - <<E\nmasquerade\nE', effect: { nftRules: ['masquerade\n'] } },
    {
      text: 'systemctl enable nftables',
      files: { '/etc/nftables.conf': 'masquerade' },
      effect: { nftRules: [] },
    },
    {
      text: 'systemctl restart nftables',
      files: { '/etc/nftables.conf': 'masquerade' },
      effect: { nftRules: ['masquerade'] },
    },
    {
      text: '. /opt/lib; retry 5 sysctl -w net.ipv4.ip_forward=1',
      files: { '/opt/lib': 'retry() {\n  "$@"\n}' },
      effect: { forwarding: true },
    },
    {
      text: 'systemctl enable --now nat@x',
      files: {
        '/etc/systemd/system/nat@.service': 'ExecStart=/opt/%i',
        '/opt/x': 'sysctl -w net.ipv4.ip_forward=1',
      },
      effect: { forwarding: true },
    },
  ];
  for (const { text, files = {}, effect } of rows)
    it(`\`${text}\` with ${JSON.stringify(files)}`, () => {
      const { system } = play(text, files);
      for (const [name, value] of Object.entries(effect))
        assert.deepEqual(system[name as keyof SystemState], value);
    });

  it('sees the key file as it was when `tailscale up` ran', () => {
    const { asked } = play('KEY=/run/key; tailscale up --auth-key=file:$KEY; rm /run/key', {
      '/run/key': 'tskey-auth-1',
    });
    assert.deepEqual(asked.tailscaleUp, {
      args: ['--auth-key=file:/run/key'],
      files: { '/run/key': 'tskey-auth-1' },
    });
  });

  for (const { text, waits } of [
    { text: 'for i in 1 2 3; do curl x && break; sleep 5; done', waits: true },
    { text: 'until timeout 3 bash -c ": </dev/tcp/1.1.1.1/53"; do sleep 2; done', waits: true },
    { text: 'curl --retry 9 x', waits: true },
    { text: 'until test -f /x; do sleep 1; done', waits: false },
    { text: 'curl x', waits: false },
  ])
    it(`\`${text}\` ${waits ? 'waits' : 'does not wait'} for the network`, () =>
      assert.equal(play(text).asked.waitsForNetwork, waits));
});
