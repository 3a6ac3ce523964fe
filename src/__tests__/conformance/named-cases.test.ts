import assert from 'node:assert/strict';
import {readFileSync} from 'node:fs';
import {join} from 'node:path';

/** `file: title` of the test that proves a case. */
type Proof = readonly [file: string, title: string];

const behaviours = (file: string, title: string): Proof => [`conformance/behaviours/${file}`, title];
const rest = (title: string): Proof => ['acceptance/rest/entity-controller.test', title];
const embedded = (title: string): Proof => ['conformance/embedded/original', title];

/** What bites when several behaviours are on one model. */
const COMPOSITION: Record<string, Proof[]> = {
  'filters are joined, not merged': [
    behaviours('soft-delete', 'keeps the rest of a where that has an or of its own'),
    behaviours('version', 'never changes the data, options or where that it is given'),
  ],
  'replace, exists and patch of a deleted row': [
    behaviours('soft-delete', 'passes deleted rows by in every read'),
    behaviours('soft-delete', 'passes deleted rows by in every write'),
  ],
  'delete and version': [
    behaviours('composition', 'checks the version of a delete, which deletes nothing when stale'),
  ],
  'bulk delete, version and history': [
    behaviours(
      'composition',
      'keeps one state per live row of a bulk delete, none of rows deleted before',
    ),
  ],
  'history and crypto': [
    behaviours('crypto', 'keeps ciphertext in the history and decrypts what it answers'),
    ['integration/secrecy.test', 'is in no table, index, log, event, error or debug output'],
  ],
  'ciphertext belongs to its row': [
    behaviours('crypto', 'finds out when ciphertext was moved to another row'),
    behaviours('crypto', 'refuses one ciphertext for many rows'),
  ],
  'a PATCH of another property leaves the ciphertext': [
    behaviours('crypto', 'keeps ciphertext in the history and decrypts what it answers'),
  ],
  'audit and history': [behaviours('composition', 'stamps before it keeps')],
  'two writes in one transaction': [
    behaviours('transactions', 'keeps both states of two writes in one transaction'),
  ],
  're-encryption is no write, and loses to one': [
    behaviours('reencrypt', 'is no write: no version, no stamp, no revision'),
    behaviours('reencrypt', 'loses to a write that comes between'),
  ],
  'crypto and where': [
    behaviours('searchable', 'choose the rows of a write of many'),
    behaviours('crypto', 'refuses what a database cannot answer of ciphertext'),
    behaviours('relations', 'the scope of an inclusion cannot compare what is encrypted'),
  ],
  'crypto and events': [
    ['acceptance/live.acceptance.test', 'hides a property from those who may not see it'],
    ['acceptance/live.acceptance.test', 'says nothing of a transaction that rolls back'],
  ],
  include: [
    behaviours('relations', 'a deleted child is absent from an include, and its parent is kept'),
    behaviours('relations', 'options reach the children of an include'),
    behaviours('relations', 'a delete through hasManyThrough keeps to its transaction'),
  ],
  'save twice': [behaviours('version', 'leaves a saved or updated entity ready to be saved again')],
  'updateById calls updateAll, once': [
    behaviours('history', 'keeps nothing of a create, and a state for each write after it'),
  ],
  'other mixins, above and below': [
    behaviours('composition', 'keeps what an application has overridden'),
    ['unit/mixins/decorators.test', 'come below what the application has written'],
  ],
};

/** The acceptance cases of oe-common-mixins. */
const ORIGINAL: Record<string, Proof[]> = {
  'version: create and createAll': [
    behaviours('version', 'gives every created row a version of its own'),
  ],
  'version: writes without or with a wrong version fail, with the current one succeed': [
    behaviours('version', '${name} needs the current version'),
  ],
  'version: DELETE /{id}/{version}': [rest('deletes by version in the path, and by If-Match')],
  'version: of four parallel updates one succeeds': [
    behaviours('version', 'of four parallel writes by ${name} with one version, one succeeds'),
  ],
  'embedded: POST stamps parent and child': [
    embedded('POST - create parent record: The BFG and Roald get one version'),
  ],
  'embedded: PUT of the parent leaves the child': [
    embedded('PUT - Update parent record: The Magic Finger leaves the child and its version'),
  ],
  'embedded: the child with its own version only': [
    embedded("updating the child with only the child's version is an error when they differ"),
  ],
  'embedded: the child with both versions': [
    embedded('PUT - Updating embedded record: Roald Dahl, and both versions are equal again'),
  ],
  'audit: without a user both are system': [
    behaviours('audit', 'records the system where nobody is signed in'),
  ],
  'audit: the user': [
    behaviours('audit', 'records who is signed in, when, and whom the options name instead'),
  ],
  'soft delete: create, deleteById, deleteAll': [
    behaviours('soft-delete', 'marks a deleted row and keeps it'),
    behaviours('soft-delete', 'passes deleted rows by in every write'),
  ],
  'history: none, two, three': [
    behaviours('history', 'keeps nothing of a create, and a state for each write after it'),
  ],
  'history: GET /history': [
    rest('lists what a row was, when and by whom it was changed, secrets readable'),
  ],
  'crypto: plaintext to callers, none in the column': [
    behaviours('crypto', 'shows the plaintext to callers and stores none'),
  ],
};

for (const [what, cases] of Object.entries({
  'a trap of composition': COMPOSITION,
  "an acceptance case of the predecessor's": ORIGINAL,
})) {
  describe(`${what} has its test:`, () => {
    for (const [name, proofs] of Object.entries(cases)) {
      it(name, () => {
        for (const [file, title] of proofs) {
          const text = readFileSync(join(__dirname, '..', `${file}.js`), 'utf8');
          const test = new RegExp(`\\bit\\(['"\`]${title.replace(/[$(){}.*+?^|[\]\\/]/g, '\\$&')}`);
          assert.match(text, test, `${file} has no test "${title}"`);
        }
      });
    }
  });
}
