/**
 * The rooms and who may import whom (ARCHITECTURE.md). `allowed` lists, for each room of the runtime, the rooms it sees;
 * everything else is forbidden.
 */
const runtime = {
  programs: ['quantization'],
  random: [],
  checkpoints: ['programs', 'store', 'quantization'],
  store: [],
  hub: ['store'],
  quantization: [],
  gradients: ['programs'],
  rewrites: ['programs', 'quantization'],
  layers: ['programs'],
  losses: ['programs'],
  optimizers: ['programs', 'quantization'],
  models: ['programs', 'layers'],
  methods: ['programs', 'models', 'quantization', 'random'],
  executables: ['programs', 'quantization'],
  devices: ['programs', 'executables'],
  data: [],
  tokenizers: [],
  gguf: ['programs', 'layers', 'models', 'checkpoints', 'store', 'stages', 'tokenizers'],
  generation: ['programs', 'models', 'methods', 'executables', 'random', 'layers'],
  stages: ['programs', 'layers', 'models', 'methods', 'losses', 'optimizers', 'generation', 'data', 'tokenizers', 'random', 'executables', 'quantization', 'rewrites', 'run'],
  run: [
    'programs', 'gradients', 'rewrites', 'models', 'methods', 'losses', 'optimizers', 'executables', 'devices', 'data',
    'tokenizers', 'checkpoints', 'store', 'stages', 'generation', 'random', 'quantization', 'hub', 'gguf',
  ],
};

const room = (name) => `^src/runtime/${name}/`;

const rooms = Object.entries(runtime).map(([name, sees]) => ({
  name: `room-${name}`,
  comment: `src/runtime/${name} sees ${sees.join(', ') || 'no other room'}`,
  severity: 'error',
  from: { path: room(name) },
  to: {
    path: '^src/runtime/.+/',
    pathNot: [name, ...sees].map(room),
    dependencyTypesNot: ['npm', 'core'],
  },
}));

module.exports = {
  forbidden: [
    { name: 'no-circular', severity: 'error', from: {}, to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } } },
    { name: 'not-resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    { name: 'no-orphans', severity: 'error', from: { orphan: true, pathNot: ['\\.d\\.ts$', 'main\\.ts$'] }, to: {} },
    {
      name: 'grammar-is-a-leaf',
      severity: 'error',
      from: { path: '^grammar/' },
      to: { pathNot: ['^grammar/', 'node_modules/(@?chevrotain)'] },
    },
    {
      name: 'compiler-is-pure',
      comment: 'no files, no clock, no engine',
      severity: 'error',
      from: { path: '^src/compiler/' },
      to: { pathNot: ['^grammar/', '^src/compiler/', 'node_modules/(@?chevrotain|ajv|fast-deep-equal|json-schema-traverse)'] },
    },
    {
      name: 'stages-see-events-only-of-run',
      severity: 'error',
      from: { path: '^src/runtime/stages/' },
      to: { path: '^src/runtime/run/', pathNot: '^src/runtime/run/events\\.ts$' },
    },
    {
      name: 'runtime-does-not-know-the-faces',
      severity: 'error',
      from: { path: '^src/runtime/' },
      to: { path: '^src/cli/' },
    },
    {
      name: 'runtime-sees-graph-catalog-and-codes',
      severity: 'error',
      from: { path: '^src/runtime/' },
      to: { path: '^src/compiler/', pathNot: '^src/compiler/(catalog\\.ts|graph/|diagnostics/)' },
    },
    {
      name: 'engines-only-in-executables',
      severity: 'error',
      from: { pathNot: '^src/runtime/(executables|devices)/' },
      to: { path: 'node_modules/(onnxruntime-node|onnxruntime-common|@tensorflow)' },
    },
    {
      name: 'ink-only-in-the-terminal',
      severity: 'error',
      from: { pathNot: '^src/cli/terminal/' },
      to: { path: 'node_modules/(ink|react)/' },
    },
    ...rooms,
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
      mainFields: ['module', 'main', 'types'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.json', '.node'],
    },
  },
};
