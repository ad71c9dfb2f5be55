// Who may import whom (docs/architecture.md). test/architecture.spec.ts runs these rules; there is no command of its own.

/** Folders that everything stands on. They know nothing of what stands on them. */
const GROUND = '^src/(common|config|database|vault|http|journal|access)/';

/** A folder is used through these files; the others are its own business. */
const SURFACE = {
  inbox:
    'candidates|inbox|inbox-fact|identity-hashes|inbox\\.module|lanes|pending-facts|failed-facts|receipts|suppression|reseal-parked-facts|trace-context|parked-facts\\.module|webhook-door|webhook-gate|webhooks\\.module',
  intake: 'intake|intake\\.module|fact-writer|payload-audio',
  reducer:
    'completeness|conversation-state|fact|header|journal-entries|merge|project|record|reducer|register-writes|registers|wake-rule',
  egress: 'egress|egress\\.module|open-egress|refusal',
  vault:
    'vault\\.service|vault\\.module|open-vault|conversation-keys|sealing/(sealing|chunked)|signing-keys|blind-index-hasher|data-key|errors|keystore/keystore-data-source',
  providers:
    'document-parts|plain-fields|provider|provider-fact|provider-accounts|providers|storable|storable-json|gateway/(failure-scope|gateway|gateway\\.module|open-gateway|retry-policy|circuit-row)',
};

const surfaces = Object.entries(SURFACE).map(([folder, files]) => ({
  name: `${folder}-through-its-surface`,
  severity: 'error',
  from: { pathNot: `^src/${folder}/|^test/|\\.spec\\.ts$` },
  to: { path: `^src/${folder}/`, pathNot: `^src/${folder}/(${files})\\.ts$` },
}));

const npm = (names) => `^node_modules/(${names})/`;

module.exports = {
  forbidden: [
    {
      name: 'workflows-are-the-ground',
      comment:
        'Workflows run again and again from their history: the SDK and each other, nothing else. They say what they need of ' +
        'others as interfaces of their own, which activities implement.',
      severity: 'error',
      from: { path: '^workflows/' },
      to: { pathNot: ['^workflows/', npm('@temporalio/(workflow|common)')] },
    },
    {
      name: 'workflow-sdk-in-workflows',
      comment: 'It works inside the workflow sandbox alone.',
      severity: 'error',
      from: { pathNot: '^workflows/' },
      to: { path: npm('@temporalio/workflow') },
    },
    {
      name: 'workflows-are-bundled',
      comment: 'Workers get workflows as a bundle. Only names and types are shared.',
      severity: 'error',
      from: { pathNot: '^workflows/' },
      to: {
        path: '^workflows/',
        pathNot: ['^workflows/names\\.ts$', '^workflows/[a-z-]+\\.names\\.ts$'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'activities-are-thin',
      comment: 'Arguments, one service call, a mapped failure. Services arrive as arguments.',
      severity: 'error',
      from: { path: '^activities/' },
      to: {
        pathNot: [
          '^activities/',
          npm('@temporalio/(activity|common)'),
          '^src/common/',
          '^src/providers/provider\\.ts$',
          '^src/lifecycle/retry-later\\.ts$',
        ],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'temporal-in-its-folder',
      comment: 'Client and worker of Temporal are used in src/temporal; everybody else asks it.',
      severity: 'error',
      from: { path: '^(src|activities|simulators)/', pathNot: '^src/temporal/' },
      to: { path: npm('@temporalio/(client|worker)') },
    },
    {
      name: 'providers-do-not-know-each-other',
      severity: 'error',
      from: { path: '^src/providers/([^/]+)/', pathNot: '^src/providers/gateway/' },
      to: {
        path: '^src/',
        pathNot: ['^src/providers/$1/', '^src/providers/provider(-fact|-mapping)?\\.ts$', '^src/common/'],
      },
    },
    {
      name: 'provider-folders-through-the-registry',
      severity: 'error',
      from: {
        path: '^(src|activities|workflows)/',
        pathNot: ['^src/providers/[^/]+/', '^src/providers/provider-registry\\.ts$', '\\.spec\\.ts$'],
      },
      to: { path: '^src/providers/[^/]+/', pathNot: '^src/providers/gateway/' },
    },
    {
      name: 'providers-are-asked-through-the-gateway',
      comment: 'It alone keeps the request budget, Retry-After, the caps and the circuit of an account.',
      severity: 'error',
      from: {
        path: '^(src|activities|workflows)/',
        pathNot: ['^src/providers/(gateway/|provider-apis\\.ts$|providers\\.ts$)', '\\.spec\\.ts$'],
      },
      to: { path: '^src/providers/provider-(apis|registry)\\.ts$' },
    },
    {
      name: 'egress-is-the-only-way-out',
      comment:
        'Requests to addresses that others name are checked there. Elsewhere: servers of our own, the npm run up of a ' +
        "developer, the operator's own object store and trace collector.",
      severity: 'error',
      from: {
        path: '^(src|activities|workflows)/',
        pathNot: [
          '^src/egress/',
          '^src/embedded/', // downloads the temporal program and asks our own API
          '^src/object-store/s3-store\\.ts$',
          '^src/observability/(metrics-server|start-tracing|tracing|discreet-exporter)\\.ts$',
          '\\.spec\\.ts$',
        ],
      },
      to: {
        path: ['^(node:)?(https?|http2|tls|dgram)$', npm('undici|@aws-sdk|@smithy|@opentelemetry/exporter-[^/]+')],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'sdks-in-their-provider',
      comment: 'A provider gives its SDK the fetch of src/egress/; anybody else would use its own.',
      severity: 'error',
      from: { path: '^(src|activities|workflows)/', pathNot: ['^src/providers/[^/]+/'] },
      to: { path: npm('@elevenlabs/[^/]+|retell-sdk') },
    },
    ...surfaces,
    {
      name: 'ground-knows-no-domain',
      severity: 'error',
      from: { path: GROUND, pathNot: '\\.spec\\.ts$' },
      to: { path: '^(src|activities|workflows)/', pathNot: GROUND },
    },
    {
      name: 'facts-flow-one-way',
      comment: 'Door, then inbox, then intake, then whoever reads the record: never back.',
      severity: 'error',
      from: { path: '^src/(providers|reducer|inbox|outbox|record-store|intake)/' },
      to: { path: '^src/(conversations|transcripts|recordings|lifecycle|temporal|agents|clients|provider-accounts)/' },
    },
    {
      name: 'inbox-knows-no-intake',
      severity: 'error',
      from: { path: '^src/(providers|reducer|inbox|outbox|record-store)/' },
      to: { path: '^src/intake/' },
    },
    {
      name: 'migrations-by-their-data-source',
      severity: 'error',
      from: { path: '^src/', pathNot: ['/migrations/', 'data-source\\.ts$'] },
      to: { path: '/migrations/' },
    },
    {
      name: 'sql-through-the-database-folder',
      comment: 'Transactions come from withScope(), which sets whose rows they see. The keystore is its own database.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/(database|vault|embedded)/', '\\.spec\\.ts$'] },
      to: { path: npm('pg|typeorm'), dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'embedded-by-up-alone',
      comment: 'Nothing home-made stands where Temporal and Postgres run in production.',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/embedded/', '^src/(up|cli)\\.ts$'] },
      to: { path: '^src/embedded/' },
    },
    {
      name: 'commands-find-what-is-embedded',
      comment: 'The command line asks where it runs, and nothing else.',
      severity: 'error',
      from: { path: '^src/cli\\.ts$' },
      to: { path: '^src/embedded/', pathNot: '^src/embedded/lock\\.ts$' },
    },
    {
      name: 'controllers-at-the-edge',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.module\\.ts$' },
      to: { path: '\\.controller\\.ts$' },
    },
    {
      name: 'reducer-is-pure',
      comment: 'Facts in, record out: it reads and writes nothing.',
      severity: 'error',
      from: { path: '^src/reducer/', pathNot: '\\.spec\\.ts$' },
      to: {
        pathNot: [
          '^src/reducer/',
          '^src/common/(data-class|normalise)\\.ts$',
          '^src/providers/(plain-fields|provider-fact|storable-json)\\.ts$',
          '^crypto$',
        ],
      },
    },
    {
      name: 'outbox-knows-no-sdk',
      comment: 'It says what must run; src/temporal/ makes it run.',
      severity: 'error',
      from: { path: '^src/(outbox|lifecycle|reconciliation)/', pathNot: '\\.spec\\.ts$' },
      to: { path: ['^src/temporal/', npm('@temporalio/[^/]+')] },
    },
    {
      name: 'simulators-play-strangers',
      comment: 'A simulator that shared code with us would share our mistakes.',
      severity: 'error',
      from: { path: '^simulators/' },
      to: { path: '^(src|workflows|activities|test)/' },
    },
    {
      name: 'nobody-needs-simulators',
      severity: 'error',
      from: { path: '^(src|workflows|activities)/' },
      to: { path: '^simulators/' },
    },
    {
      name: 'tests-stay-tests',
      severity: 'error',
      from: { path: '^(src|workflows|activities|simulators)/', pathNot: '\\.spec\\.ts$' },
      to: { path: ['^test/', '\\.spec\\.ts$', npm('vitest|fast-check')] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
};
