import assert from 'node:assert/strict';
import {withRelated} from '../../../components/realtime/related-audience';
import type {RowImage} from '../../../core/change';
import type {Audience, Render} from '../../../core/channel';
import type {Include} from '../../../core/query';

const DAMAGED = new Error('the row cannot be decrypted');

describe('rows with related ones', () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => void unhandled.push(error);
  const others = process.listeners('unhandledRejection');

  beforeEach(() => {
    unhandled.length = 0;
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', note);
  });
  afterEach(() => {
    process.removeAllListeners('unhandledRejection');
    for (const each of others) process.on('unhandledRejection', each);
  });

  const fails: Render = async () => {
    throw DAMAGED;
  };
  const failsAtOnce: Render = () => {
    throw DAMAGED;
  };
  const shows: Render = ({values}) => values;
  const showsLater: Render = async ({values}) => {
    await new Promise(resolve => setImmediate(resolve));
    return values;
  };
  const failsLater: Render = async () => {
    await new Promise(resolve => setImmediate(resolve));
    throw DAMAGED;
  };
  const cases: [what: string, own: Render, related: Render][] = [
    ['a related one', shows, fails],
    ['a related one while the row itself takes longer', showsLater, fails],
    ['a related one at once', showsLater, failsAtOnce],
    ['the row itself and a related one', fails, fails],
    ['the row itself, and later a related one', fails, failsLater],
    ['the row itself, and at once a related one', fails, failsAtOnce],
    ['the row itself at once, and later a related one', failsAtOnce, failsLater],
  ];
  for (const [what, own, related] of cases) {
    it(`fail without harm to others where nobody can decrypt ${what}`, async () => {
      const audience = withRelated(seeing(own), [{include: LINES, audience: seeing(related)}]);
      await assert.rejects(async () => audience.render(ORDER), DAMAGED);
      // A rejection that nobody takes is told once the turn is over.
      for (let i = 0; i < 3; i++) await new Promise(resolve => setImmediate(resolve));
      assert.deepEqual(unhandled, []);
    });
  }

  it('are shown with what their filters leave, at once where nothing has to be waited for', () => {
    const withoutFirst: Render = ({key, values}) => (key === 'l1' ? undefined : values);
    const audience = withRelated(seeing(shows), [
      {include: LINES, audience: seeing(withoutFirst)},
    ]);
    assert.deepEqual(audience.render(ORDER), {id: 'o', lines: [{id: 'l2'}]});
  });
});

const LINES: Include = {
  relation: 'lines', kind: 'many', from: 'id', to: 'orderId', fields: undefined,
  query: {entity: 'Line', condition: {kind: 'and', parts: []}, order: []},
};

const ORDER: RowImage = {...image('o'), related: {lines: [image('l1'), image('l2')]}};

function image(id: string): RowImage {
  return {key: id, values: {id}, raw: {id}};
}

function seeing(render: Render): Audience {
  return {key: 'all', isPrivate: false, render};
}
