/**
 * Who may import whom. Imports point one way:
 *
 *     client → protocol ← core ← adapters ← components;  mixins → core's change port
 *
 * A room's own files are always allowed to it. `packages` says which packages a room may use:
 * 'any', or the list of those and no others (`node:` modules count as packages).
 */
export const layers = {
  'src/protocol': {from: [], packages: []},
  'src/client': {from: ['src/protocol'], packages: ['socket.io-client']},
  'src/core': {from: ['src/protocol'], packages: ['node:*']},
  'src/mixins': {
    from: [
      'src/core/change.ts',
      'src/core/database-errors.ts',
      'src/protocol/errors.ts',
      'src/keys.ts',
    ],
    packages: ['@loopback/*', 'loopback-*', 'node:*'],
  },
  'src/adapters/memory': {from: ['src/core', 'src/protocol'], packages: ['node:*']},
  'src/adapters/postgres': {
    from: ['src/core', 'src/protocol'],
    packages: ['pg', 'pg-*', 'node:*'],
  },
  'src/adapters/socketio': {
    from: ['src/core', 'src/protocol'],
    packages: ['socket.io', 'ws', 'ajv', 'node:*'],
  },
  'src/adapters/loopback': {
    from: ['src/core', 'src/protocol', 'src/mixins', 'src/keys.ts'],
    packages: ['@loopback/*', 'loopback-*', 'node:*'],
  },
  'src/components': {
    from: ['src/core', 'src/protocol', 'src/mixins', 'src/adapters', 'src/keys.ts'],
    packages: 'any',
  },
};

/** The rules of ESLint that hold the table. */
export function layerRules() {
  return [...Object.entries(layers).map(([room, may]) => roomRules(room, may)), noBarrels()];
}

function roomRules(room, {from, packages}) {
  return {
    files: [`${room}/**/*.ts`],
    rules: {
      'import-x/no-restricted-paths': ['error', {
        zones: [{
          target: `./${room}`,
          from: './src',
          except: [room, ...from].map(path => path.replace('src/', './')),
          message: `${room} may import ${['itself', ...from].join(', ')} and nothing else of src.`,
        }],
      }],
      ...(packages === 'any' ? {} : {'no-restricted-imports': ['error', only(room, packages)]}),
    },
  };
}

/** Refuses every package that is not on the list. */
function only(room, packages) {
  const named = packages.map(name => name.replaceAll('.', '\\.').replace('*', '.*'));
  const allowed = ['\\.', ...named.map(name => `${name}$`)].join('|');
  return {
    patterns: [{
      regex: `^(?!${allowed})`,
      message: `${room} may use ${packages.join(', ') || 'no packages'}.`,
    }],
  };
}

/** Only the two entries of the package gather what others define. */
function noBarrels() {
  return {
    files: ['src/*/**/index.ts'],
    ignores: ['src/client/index.ts'],
    rules: {
      'no-restricted-syntax': ['error', {
        selector: 'Program',
        message: 'No barrels inside: import from the file that defines it.',
      }],
    },
  };
}
