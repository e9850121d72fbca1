// The arrows of the house: core <- io <- actors <- replica, core <- machines <- replica.
// The primary knows nothing of the replica (P5-I16), and only the faces know the transport.
const forbid = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

module.exports = {
  forbidden: [
    forbid('no-cycles', 'A cycle hides who owns what.', {}, { circular: true }),
    forbid(
      'core-is-pure',
      'core knows no I/O, no XState and no other room.',
      { path: '^src/core' },
      {
        path: '^(src/(?!core)|machines)|node_modules/(xstate|pino|fastify|undici|classic-level)|^(fs|net|http|child_process|timers)',
      },
    ),
    forbid(
      'machines-import-core-and-xstate-only',
      'A chart names effects, it never performs them.',
      { path: '^machines/(?!model)' },
      { pathNot: '^(machines/|src/core/)|node_modules/xstate' },
    ),
    forbid(
      'io-knows-only-core',
      'Ports and their implementations.',
      { path: '^src/io' },
      { path: '^(machines|src/(actors|primary|replica|http|cli))' },
    ),
    forbid(
      'actors-know-only-core-and-io',
      'Actors observe; they hold no decision and no chart.',
      { path: '^src/actors' },
      { path: '^(machines|src/(primary|replica|http|cli))' },
    ),
    forbid(
      'primary-knows-nothing-of-the-replica',
      'P5-I16: the primary can be built with replication left out.',
      { path: '^src/primary' },
      { path: '^src/(replica|actors|http|cli)|^machines/(?!1-role|primary|claims|context|replica-state)' },
    ),
    forbid(
      'replica-knows-no-face',
      'The engine does not know who asks.',
      { path: '^src/replica' },
      { path: '^src/(http|cli)' },
    ),
    forbid(
      'http-knows-no-cli',
      'Faces do not lean on each other.',
      { path: '^src/http' },
      { path: '^src/cli' },
    ),
    forbid(
      'chart-draws-what-it-is-given',
      'The emitters turn the data of a chart into text; they know no machine and no node.',
      { path: '^src/chart' },
      { pathNot: '^src/(chart|core)/|^machines/chart' },
    ),
    forbid(
      'verification-asks-no-node',
      'An explanation is derived again from files alone.',
      { path: '^src/verify' },
      { path: '^src/(?!verify|core|io)' },
    ),
    forbid(
      'replay-asks-no-node',
      'A journal is replayed by the machines alone; of a node only the readers of its steps are used.',
      { path: '^src/replay' },
      {
        path: '^src/(?!replay|core|io|node/)|^src/node/(?!flight-steps|node-snapshot|transitions)',
      },
    ),
    forbid(
      'replay-of-records-is-pure',
      'What is replayed is told record by record; files are read beside it.',
      { path: '^src/replay/(?!journal)' },
      { path: '^src/io|^(fs|net|http|child_process|timers)' },
    ),
    forbid(
      'the-contract-is-only-shapes',
      'Server, client and description share it, so it knows none of them.',
      { path: '^src/http/contract' },
      { path: '^(machines|src/(?!http/contract|core))' },
    ),
    forbid(
      'graph-only-in-the-model',
      '@xstate/graph is imported in one room.',
      { pathNot: '^machines/model' },
      { path: 'node_modules/@xstate/graph' },
    ),
    forbid(
      'the-engine-knows-no-model',
      'A model is for tests: neither a node nor its charts load it.',
      { path: '^src/(?!testing)|^machines/(?!model)' },
      { path: '^machines/model' },
    ),
    forbid(
      'testing-is-for-hosts',
      'What hosts make their tests from; of the command line only the commands of the model know it.',
      { path: '^src/(?!testing|cli/model)|^machines' },
      { path: '^src/testing' },
    ),
    forbid(
      'testing-starts-no-node',
      'It knows the machines and their model; of the engine only the shape of a port.',
      { path: '^src/testing' },
      { path: '^src/(?!testing|core|io/wal-source)' },
    ),
    forbid('nothing-unresolvable', 'An import must exist.', {}, { couldNotResolve: true }),
    forbid(
      'no-orphans',
      'A file nobody imports is dead.',
      { orphan: true, pathNot: '\\.d\\.ts$|^src/(testing/)?index\\.ts$|^src/cli/main\\.ts$' },
      {},
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default'],
    },
  },
};
