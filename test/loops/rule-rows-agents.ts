import { edit, edits } from './garden.ts';
import { DEV, library, type Row, WEB } from './rule-changes.ts';

const TOOLS = 'capsules/tools/capsule.yaml';
const AGENT = 'capsules/agent/capsule.yaml';

/** A capsule with an MCP server and an agent card, in which no rule finds anything. */
const OFFERS = library(
  'tools',
  `  protocols:
    mcp:
      servers:
        greeter:
          registryName: io.github.acme/greeter-tools
          transport:
            type: streamable-http
            port: 9000
            path: /mcp
          protocolVersions: ["2026-07-28", "2025-11-25"]
          tools:
            greet:
              risk: low
            set_greeting:
              risk: high
              requireApproval: true
    a2a:
      card:
        name: Greeter
        description: Greets people.
        version: "1"
        capabilities: {}
        defaultInputModes: [text/plain]
        defaultOutputModes: [text/plain]
        skills:
          - id: greeting
            name: Greeting
            description: Says hello.
            tags: [hello]
        supportedInterfaces:
          - url: https://greeter.example.com/a2a
            protocolBinding: JSONRPC
            protocolVersion: "1.0"
`,
).replace('  version: 1.0.0\n', '  version: 1.0.0\n  description: Lets agents greet people.\n');

/** An agent that calls it. */
const CALLS = library(
  'agent',
  `  dependencies:
    tools:
      capsule: tools
      version: ^1.0.0
  agent:
    autonomy: supervised
    tools: [greet]
  protocols:
    mcp:
      clients:
        greeter:
          dependency: tools
          server: greeter
          protocolVersions: ["2025-11-25", "2026-07-28"]
          tools: [greet, set_greeting]
          requireApproval: [greet]
    bridges:
      hello:
        from:
          protocol: mcp
          dependency: tools
        to:
          protocol: a2a
          dependency: tools
        mapping:
          - tool: greet
            skill: greeting
`,
);

const BOTH = { [TOOLS]: OFFERS, [AGENT]: CALLS };
const IN_DEV = edit('    web:\n', '    agent:\n      version: ^1.0.0\n    web:\n');
const CARD = `  protocols:
    a2a:
      card:
        name: Caller
        description: Calls.
        version: "1"
        capabilities: {}
        defaultInputModes: [text/plain]
        defaultOutputModes: [text/plain]
        skills: [{ id: call, name: Call, description: Calls., tags: [call] }]
      interfaces:
        - url: https://caller.example.com
          protocolBinding: JSONRPC
          protocolVersion: "0.3"
`;
const CALLER = library(
  'caller',
  `  dependencies:\n    tools:\n      capsule: tools\n      version: ^1.0.0\n      requires:\n        protocol: a2a\n${CARD}`,
);
const ANSWERS = OFFERS.replace('  protocols:\n', '  provides:\n    a2a:\n      protocol: a2a\n  protocols:\n');
const MODEL = `  models:
    default:
      ref: hf:acme/greet-7b
      digest: sha256:${'0a1b2c3d'.repeat(8)}
      updatePolicy:
        frequency: weekly
        validation:
          - eval: greetings
        rollbackThreshold:
          - metric: accuracy
            below: 0.9
        monitoringPeriod: 10m
  strategy:
    analysis:
      accuracy:
        provider: prometheus
        query: avg(accuracy)
        interval: 5m
        onNoData: fail
`;
const USES = library('brain', MODEL);
/** What this version does not do yet in that capsule. */
const NOT_YET = ['~not-supported capsules/brain/capsule.yaml:12:7', '~not-supported capsules/brain/capsule.yaml:21:5'];

function tools(from: string, to: string): Readonly<Record<string, string>> {
  return { ...BOTH, [TOOLS]: edit(from, to)(OFFERS) };
}

function agent(from: string, to: string): Readonly<Record<string, string>> {
  return { ...BOTH, [AGENT]: edit(from, to)(CALLS) };
}

function brain(from: string, to: string): Readonly<Record<string, string>> {
  return { 'capsules/brain/capsule.yaml': edit(from, to)(USES) };
}

const AUTONOMOUS = edits(edit('supervised', 'autonomous'), edit('tools: [greet]\n', 'tools: [greeter]\n'));

/** The agent and the tools are not in the lock yet. */
const LAGGING = Array.from({ length: 2 }, () => 'V-47 lock-incomplete environments/dev/environment.lock.yaml:5:1');

/** Each with what validate says of it: every problem, with its place. */
export const AGENT_VIOLATIONS: readonly Row[] = [
  [
    'V-18: a client of a server that is not there',
    agent('server: greeter', 'server: greter'),
    ['V-18 wiring-mismatch capsules/agent/capsule.yaml:20:19'],
  ],
  [
    'V-18: a bridge of a dependency that is not there',
    agent('          protocol: a2a\n          dependency: tools', '          protocol: a2a\n          dependency: tols'),
    ['V-18 dependency-undeclared capsules/agent/capsule.yaml:31:23'],
  ],
  [
    'V-66: approval of a tool that nobody declares',
    agent('requireApproval: [greet]', 'requireApproval: [greets]'),
    ['V-66 tool-undeclared capsules/agent/capsule.yaml:23:29'],
  ],
  [
    'V-66: a list that allows an unknown tool',
    agent('[greet, set_greeting]', '[greet, set]'),
    ['V-66 tool-undeclared capsules/agent/capsule.yaml:22:26'],
  ],
  [
    'V-66: an agent with a tool that it does not reach',
    agent('tools: [greet]\n', 'tools: [delete]\n'),
    ['V-66 tool-undeclared capsules/agent/capsule.yaml:14:13'],
  ],
  [
    'V-67: a tool without risk',
    tools('              risk: low\n', '              description: Greets.\n'),
    ['V-67 tool-without-risk capsules/tools/capsule.yaml:20:13'],
  ],
  [
    'V-67: a tool of high risk without approval',
    tools('              requireApproval: true\n', ''),
    ['V-67 tool-unguarded capsules/tools/capsule.yaml:22:13'],
  ],
  [
    'V-68: a bridge to a skill that is not offered',
    agent('skill: greeting', 'skill: greetings'),
    ['V-68 bridge-mapping-unknown capsules/agent/capsule.yaml:34:20'],
  ],
  [
    'V-68: a tool that is not offered, of a bridge that is deployed',
    [BOTH, { [DEV]: IN_DEV }, { [AGENT]: edits(edit('version: 1.0.0', 'version: 1.1.0'), edit('tool: greet\n', 'tool: hello\n')) }],
    ['V-68 bridge-mapping-unknown capsules/agent/capsule.yaml:33:19'],
  ],
  [
    'V-69: a revision that is none',
    tools('["2026-07-28", ', '["2026-07-28", "2026-01-01", '),
    ['V-69 mcp-revision-unknown capsules/tools/capsule.yaml:18:44'],
  ],
  [
    'V-69: revisions with a handshake only',
    tools('["2026-07-28", ', '["2025-06-18", '),
    ['~V-69 mcp-legacy-only capsules/tools/capsule.yaml:18:29'],
  ],
  ['V-69: server-sent events', tools('streamable-http', 'sse'), ['~V-69 mcp-transport-outdated capsules/tools/capsule.yaml:15:19']],
  [
    'V-70: no revision in common',
    { ...agent('["2025-11-25", "2026-07-28"]', '["2025-11-25"]'), [TOOLS]: edit('["2026-07-28", "2025-11-25"]', '["2026-07-28"]')(OFFERS) },
    ['~V-69 mcp-legacy-only capsules/agent/capsule.yaml:21:29', 'V-70 mcp-no-common-revision capsules/agent/capsule.yaml:21:29'],
  ],
  [
    'V-71: a card that lacks its modes',
    tools('        defaultInputModes: [text/plain]\n', ''),
    ['V-71 agent-card-invalid capsules/tools/capsule.yaml:26:7'],
  ],
  [
    'V-71: a version with three numbers',
    tools('protocolVersion: "1.0"', 'protocolVersion: "1.0.1"'),
    ['V-71 agent-card-invalid capsules/tools/capsule.yaml:41:30'],
  ],
  [
    'V-71: a skill twice',
    tools(
      '        supportedInterfaces:',
      '          - { id: greeting, name: Again, description: Again., tags: [hello] }\n        supportedInterfaces:',
    ),
    ['V-71 agent-card-invalid capsules/tools/capsule.yaml:38:19'],
  ],
  [
    'V-71: in the clear where the risk is medium',
    [
      { ...tools('url: https:', 'url: http:') },
      {
        [WEB]: edits(
          edit('version: 1.0.0', 'version: 1.1.0'),
          edit('  provides:\n', '    tools:\n      capsule: tools\n      version: ^1.0.0\n  provides:\n'),
        ),
        'capsules/web/files/package.json': '{ "version": "1.1.0" }',
      },
    ],
    ['V-71 agent-card-invalid capsules/tools/capsule.yaml:39:18'],
  ],
  [
    'V-72: no version in common',
    { [TOOLS]: ANSWERS, 'capsules/caller/capsule.yaml': CALLER },
    ['V-72 a2a-no-common-version capsules/caller/capsule.yaml:9:5'],
  ],
  [
    'V-73: a name without a domain',
    tools('io.github.acme/greeter-tools', 'greeter-tools'),
    ['V-73 registry-entry-invalid capsules/tools/capsule.yaml:13:25'],
  ],
  [
    'V-73: 101 characters of description',
    tools('Lets agents greet people.', 'x'.repeat(101)),
    ['V-73 registry-entry-invalid capsules/tools/capsule.yaml:6:16'],
  ],
  [
    'V-73: an image that is the latest',
    tools(
      '  protocols:\n',
      '  components:\n    server:\n      kind: Deployment\n      image: registry.example.com/tools:latest\n  protocols:\n',
    ),
    ['V-73 registry-entry-invalid capsules/tools/capsule.yaml:12:14'],
  ],
  [
    'V-74: a model without digest',
    brain(`      digest: sha256:${'0a1b2c3d'.repeat(8)}\n`, ''),
    [
      'V-74 model-unpinned capsules/brain/capsule.yaml:9:5',
      '~not-supported capsules/brain/capsule.yaml:11:7',
      '~not-supported capsules/brain/capsule.yaml:20:5',
    ],
  ],
  [
    'V-74: an update that nothing judges',
    brain('        validation:\n          - eval: greetings\n', ''),
    [
      'V-74 model-unvalidated capsules/brain/capsule.yaml:12:7',
      '~not-supported capsules/brain/capsule.yaml:12:7',
      '~not-supported capsules/brain/capsule.yaml:19:5',
    ],
  ],
  [
    'V-75: a metric that is not defined',
    brain('metric: accuracy', 'metric: acuracy'),
    [NOT_YET[0] ?? '', 'V-75 rollback-metric-undefined capsules/brain/capsule.yaml:17:21', NOT_YET[1] ?? ''],
  ],
  [
    'V-75: less than two intervals',
    brain('monitoringPeriod: 10m', 'monitoringPeriod: 9m'),
    [NOT_YET[0] ?? '', 'V-75 monitoring-too-short capsules/brain/capsule.yaml:19:27', NOT_YET[1] ?? ''],
  ],
  [
    'V-76: an autonomous agent with a tool of high risk',
    { ...BOTH, [AGENT]: AUTONOMOUS(CALLS) },
    ['V-76 agent-too-free capsules/agent/capsule.yaml:13:15'],
  ],
];

/** What is just within each rule. */
export const AGENT_NEAR_MISSES: readonly Row[] = [
  ['V-66, V-67, V-68, V-69, V-70, V-71 and V-73: tools, lists, mappings and revisions that fit', BOTH, []],
  ['V-68: a bridge that is deployed', [BOTH, { [DEV]: IN_DEV }], LAGGING],
  [
    'V-66: an agent with a server that it cannot look into',
    {
      [AGENT]: edit(
        '    tools: [greet]\n',
        '    tools: [delete]\n',
      )(CALLS).replace('      capsule: tools\n      version: ^1.0.0\n', '      service: tools\n      external: true\n'),
    },
    [],
  ],
  [
    'V-67: a tool of medium risk without approval',
    tools('              risk: high\n              requireApproval: true\n', '              risk: medium\n'),
    [],
  ],
  ['V-71: in the clear in an environment of low risk', [tools('url: https:', 'url: http:'), { [DEV]: IN_DEV }], LAGGING],
  ['V-72: one version in common', { [TOOLS]: ANSWERS, 'capsules/caller/capsule.yaml': edit('"0.3"', '"1.0"')(CALLER) }, []],
  ['V-73: 100 characters of description', tools('Lets agents greet people.', 'ñ'.repeat(100)), []],
  [
    'V-73: a long description of a server that nobody publishes',
    {
      ...BOTH,
      [TOOLS]: edits(
        edit('          registryName: io.github.acme/greeter-tools\n', ''),
        edit('Lets agents greet people.', 'x'.repeat(101)),
      )(OFFERS),
    },
    [],
  ],
  ['V-74 and V-75: a model that is judged, and two intervals', { 'capsules/brain/capsule.yaml': USES }, NOT_YET],
  [
    'V-74: an update by hand',
    brain('        validation:\n          - eval: greetings\n', '        automatic: false\n'),
    ['~not-supported capsules/brain/capsule.yaml:12:7', '~not-supported capsules/brain/capsule.yaml:20:5'],
  ],
  [
    'V-76: an autonomous agent with approvals',
    { ...BOTH, [AGENT]: edits(AUTONOMOUS, edit('    autonomy', '    approvals:\n      required: 1\n    autonomy'))(CALLS) },
    [],
  ],
  ['V-76: an autonomous agent with a tool of low risk', { ...BOTH, [AGENT]: edit('supervised', 'autonomous')(CALLS) }, []],
];
