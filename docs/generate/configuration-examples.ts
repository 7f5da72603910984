/** An example of each section, as it stands in a stack's file. */
export const EXAMPLES: Readonly<Record<string, string>> = {
  access: `
worker-pools:access:
  connectivity: tailscale
  sshKeys: [keys/ops.pub]
  tags: [tag:worker]
`,
  network: `
worker-pools:network:
  cidr: 10.20.0.0/16
  zone: eu-central
  natGateway: { serverType: cx23, location: fsn1, image: debian-12 }
`,
  dns: `
worker-pools:dns:
  zone: example.com
  workers: true
`,
  budget: `
worker-pools:budget: { hourly: 4.00, monthly: 900 }
`,
  service: `
worker-pools:service: { url: http://pools.example-tailnet.ts.net:8470 }
`,
  autoscaling: `
worker-pools:autoscaling: { enabled: true }
`,
  pools: `
worker-pools:pools:
  ci:
    size: { min: 0, max: 40 }
    slots: 4
    image: debian-12
    placements: # the first that can be had
      - { serverType: cx43, location: fsn1 }
      - { serverType: cx43, location: nbg1 }
    workload: { docker: true }
    queue: { kind: slots }
    scaling:
      targetWait: 300
      schedule:
        - { days: [mon, tue, wed, thu, fri], from: '07:30', to: '18:00', timezone: Europe/Berlin, min: 2 }
      rollout: { maxSurge: 2, maxUnavailable: 0 }
`,
};
